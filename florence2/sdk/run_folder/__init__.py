"""The numbered folders in which ``train`` leaves its runs.

runs/1/configuration.yaml   every setting, resolved; what ``florence2 train --config`` and ZenML's ``-c`` take
       command.txt          the command that repeats the run
       history.jsonl        what was logged, a line at a time, while it trains
       metrics.json         base and fine-tuned model, the best epoch, the history
       plots/               each score by epoch
       validation/          answers drawn at each validation
       checkpoints/best     the best epoch by validation; of an interrupted run the best so far
       checkpoints/latest   the last epoch that was finished
       report/              base and fine-tuned model on the test split
       state/               only while it trains, and until it is gone on with: what a run goes on from
"""
