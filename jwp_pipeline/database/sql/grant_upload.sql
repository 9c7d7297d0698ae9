-- The application may also ask JW Platform for upload links (`upload_endpoint`), within the site's budget of requests.
GRANT SELECT, INSERT, UPDATE ON upload_endpoints TO {application};
GRANT SELECT, INSERT, UPDATE, DELETE ON request_accounts, request_permits, request_lines TO {application};
GRANT USAGE, SELECT ON SEQUENCE request_permits_id_seq TO {application};
