"""What this learner has done: kept, summed up, drawn and handed in."""
