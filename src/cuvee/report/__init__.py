"""The page and the data that tell people what to do about a release."""
