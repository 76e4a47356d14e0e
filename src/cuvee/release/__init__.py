"""The workspace and the pipeline that ties the stages together."""
