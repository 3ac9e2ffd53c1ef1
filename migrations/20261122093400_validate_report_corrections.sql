-- Holds the rows recorded so far against the rule on corrections.
SET LOCAL lock_timeout = '3s';
ALTER TABLE progress_reports VALIDATE CONSTRAINT progress_reports_corrects_report;
