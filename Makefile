# make lab     set everything up and open the course        (lang=ko or lang=en picks the language)
# make test    set everything up and prove the course
# make build   lessons -> chapters/ and solutions/          (rerun=1 executes all solved notebooks)
# make pins    pyproject.toml -> requirements.txt and environment.yml

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
WORKERS ?= 2

.PHONY: lab test build messages pins

lab: .venv/course
	$(PY) -m course lab $(lang)

# One run of pytest proves all of it; lint and stale notebooks are tests, too (tests/test_tree.py).
# Two workers with one thread each: two kernels that both want every core wait for each other.
test: .venv/course-test
	OMP_NUM_THREADS=1 $(PY) -m pytest -n $(WORKERS)

build: .venv/course-test
	$(PY) -m course build $(if $(rerun),--rerun)

messages: .venv/course
	$(PY) -m course messages

pins: .venv/course-test
	$(PY) -m course.pins

# A stamp is newer than what it was made from, so a second run starts at once and needs no network.
.venv/course: pyproject.toml requirements.txt | .venv/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -c requirements.txt -e .
	touch $@

.venv/course-test: pyproject.toml requirements.txt .venv/course
	$(PY) -m pip install --quiet --disable-pip-version-check -c requirements.txt -e '.[test]'
	touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("This course needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv
