"""Documents of contractors: files, verification, reminders, and who gets no offers because one lapsed."""
