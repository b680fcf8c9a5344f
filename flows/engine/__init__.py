"""Where runs happen: the server, workers, runners and deployments."""
