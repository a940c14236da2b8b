"""The local broker: a paper account in a process of its own, with faults on demand."""
