"""The world outside: each module wraps one library and lets none of its exceptions out."""
