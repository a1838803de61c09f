"""Grouping of people: faces said to be one person. Off until somebody switches it on; local; erasable.

`grouping` decides who is one person, `faces` applies it to a shoot, `acts` is what a person can do about it.
"""
