"""Byte code, made when packages and images are made."""
