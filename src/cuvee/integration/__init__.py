"""Plans, runners, suites and outcomes: the tests that run inside an installed release."""
