"""What every room stands on: answers, studies, runs, tables, seeds, jobs, progress and refusals."""
