"""Tests that need what they do committed, because others have to see it."""
