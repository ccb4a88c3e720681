"""The pages in Chromium, against one installation as a person starts it."""
