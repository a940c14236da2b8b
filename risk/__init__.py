"""What every order passes, in every mode: limits, book, breakers and the gate in front of each strategy."""
