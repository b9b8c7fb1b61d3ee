# make lab     set everything up and open the course        (lang=ko or lang=en picks the language)
# make test    set everything up and prove the course
# make build   lessons -> chapters/ and solutions/          (rerun=1 executes all solved notebooks)
# make bench   measure what the course says of itself -> benchmarks/report.md
# make slides  a deck for each lesson -> build/slides/     (make slides lessons="03 ko" for one)
# make handout a PDF for each lesson  -> build/handout/    (needs Chromium or Chrome)
# make pins    pyproject.toml -> requirements.txt and environment.yml

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
WORKERS ?= 2

.PHONY: lab test build messages pins bench slides handout

lab: .venv/course
	$(PY) -m course lab $(lang)

# One run of pytest proves all of it; lint and stale notebooks are tests, too (tests/test_tree.py).
# Two workers with one thread each: two kernels that both want every core wait for each other.
test: .venv/course-test
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS) --dist=loadfile --no-loadscope-reorder

build: .venv/course-test
	$(PY) -m course build $(if $(rerun),--rerun)

# Only on a machine with nothing else to do: other work changes the times.
bench: .venv/course-test
	$(PY) -m benchmarks.run $(rows)

slides: .venv/course
	$(PY) -m course slides $(lessons)

handout: .venv/course-test
	$(PY) -m course handout $(lessons)

messages: .venv/course
	$(PY) -m course messages

pins: .venv/course-test
	$(PY) -m course pins

# A stamp is newer than what it was made from, so a second run starts at once and needs no network.
INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check -c requirements.txt

.venv/course: pyproject.toml requirements.txt | .venv/bin/python
	$(INSTALL) -e .
	touch $@

.venv/course-test: pyproject.toml requirements.txt | .venv/bin/python
	$(INSTALL) -e '.[test]'
	touch .venv/course $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("This course needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv
