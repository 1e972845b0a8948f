"""The test suite; `conftest.py` starts the servers, `fixtures.py` gives what tests ask for."""
