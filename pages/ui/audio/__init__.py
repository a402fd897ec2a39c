"""Parts of the audio page: where sound comes from, the stage it is heard on, measures, tuning and files."""
