"""Is this luck? Pure statistics over the returns of one backtest, or of all that were tried.

Returns are fractions, one a session day, oldest first; a Sharpe ratio here is one PER DAY (mean over standard
deviation of days), never a year's, unless its name says so. What is undefined is None, never NaN or infinity; returns
that are not finite are a ValueError.
"""
