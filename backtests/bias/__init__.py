"""Checks of one strategy: does it see the future, does it forget the past, does its profit survive a little harm?"""
