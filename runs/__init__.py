"""What backtests and live runs share: the record of a run, its folder, its measures, tables and plots."""
