-- Lets a push decide about a conflict again. The base stays, so that it is a conflict again if nothing has changed.
UPDATE item_updates
SET state = 'waiting', problem = NULL
WHERE media_item_id = :item_id AND field = :field AND edit_number = :number AND state = 'conflict'
