SELECT format('%s %ss: %s + %s - %s <> %s', day.day, day.type, before.live, day.added + day.restored, day.deleted, day.live)
FROM library_history AS day
JOIN library_history AS before ON before.type = day.type AND before.day = day.day - 1
WHERE day.complete AND before.complete AND before.live + day.added + day.restored - day.deleted <> day.live
ORDER BY day.day, day.type
