"""Prices in, an opinion out: +1 long, -1 short, 0 out of the market, None while there is too little history."""
