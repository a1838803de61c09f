"""Where everything is remembered: the studio library (a database) and each shoot's `.safelight` folder (objects)."""
