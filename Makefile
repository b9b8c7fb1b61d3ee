# Each of these only calls `python -m course …`, which also works where there is no make.
#
# make lab     set everything up and open the course        (lang=ko or lang=en picks the language)
# make test    set everything up and prove the course
# make build   lessons -> chapters/ and solutions/          (rerun=1 executes all solved notebooks)
# make bench   measure what the course says of itself -> benchmarks/report.md
# make slides  a deck for each lesson -> build/slides/     (make slides lessons="03 ko" for one;
#              plan=half-day, plan=day or plan=evenings keeps the exercises of one of the guide's plans)
# make handout a PDF for each lesson  -> build/handout/    (needs Chromium or Chrome; answers=1
#              writes a second file with the answers)
# make pins    pyproject.toml -> requirements.txt and environment.yml

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)

.PHONY: lab test build messages pins bench slides handout

lab:
	$(PYTHON) -m course lab $(lang)

test:
	$(PYTHON) -m course test

build:
	$(PYTHON) -m course build $(if $(rerun),--rerun)

# Only on a machine with nothing else to do: other work changes the times.
bench:
	$(PYTHON) -m course build --check
	.venv/bin/python -m benchmarks.run $(rows)

slides:
	$(PYTHON) -m course slides $(lessons) $(if $(plan),--plan $(plan))

handout:
	$(PYTHON) -m course handout $(lessons) $(if $(answers),--answers)

messages:
	$(PYTHON) -m course messages

pins:
	$(PYTHON) -m course pins
