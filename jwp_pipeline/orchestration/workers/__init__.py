"""Runs on other machines by way of Celery: dagster.yaml names the launcher, and `jwp-pipeline worker` runs the app.

This package needs the extra `jwp-pipeline[celery]`, so nothing outside it imports it. Put here what is about workers.
"""
