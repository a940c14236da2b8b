"""The local broker of `python -m simulators broker`: a paper account on this machine, at recorded prices."""
