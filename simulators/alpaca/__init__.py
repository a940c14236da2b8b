"""A local Alpaca: its REST and websocket interfaces, an account and a market, in a process of its own."""
