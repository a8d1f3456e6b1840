"""The console: who may enter, what each page shows, and that nothing written by customers runs."""
