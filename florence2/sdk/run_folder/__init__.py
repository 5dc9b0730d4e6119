"""The numbered folders in which ``train`` leaves its runs; ``florence2.storage.run_layout`` lists their files."""
