"""The app's routes, one module a page or a matter."""
