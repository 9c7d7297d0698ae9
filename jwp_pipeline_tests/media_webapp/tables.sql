-- The tables of media-webapp, as its own migrations make them (mediaplatform 0027, mediaplatform_jwp 0005, legacysms 0003).
CREATE TABLE django_site (id integer PRIMARY KEY, domain varchar(100) NOT NULL UNIQUE, name varchar(50) NOT NULL);
CREATE TABLE mediaplatform_billingaccount (
    id varchar(11) PRIMARY KEY, description text NOT NULL, lookup_instid varchar(255) NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
CREATE TABLE mediaplatform_channel (
    id varchar(11) PRIMARY KEY,
    billing_account_id varchar(11) NOT NULL REFERENCES mediaplatform_billingaccount DEFERRABLE INITIALLY DEFERRED,
    title text NOT NULL, description text NOT NULL, text_search_vector tsvector NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, deleted_at timestamptz
);
CREATE TABLE mediaplatform_mediaitem (
    id varchar(11) PRIMARY KEY,
    channel_id varchar(11) REFERENCES mediaplatform_channel DEFERRABLE INITIALLY DEFERRED,
    title text NOT NULL, description text NOT NULL, copyright text NOT NULL, duration float8 NOT NULL,
    type varchar(10) NOT NULL, published_at timestamptz NOT NULL, downloadable boolean NOT NULL,
    language varchar(3) NOT NULL, tags varchar(256)[] NOT NULL, text_search_vector tsvector NOT NULL,
    initially_fetched_from_url varchar(2048) NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, deleted_at timestamptz
);
CREATE TABLE mediaplatform_playlist (
    id varchar(11) PRIMARY KEY,
    channel_id varchar(11) NOT NULL REFERENCES mediaplatform_channel DEFERRABLE INITIALLY DEFERRED,
    title text NOT NULL, description text NOT NULL, media_items varchar(11)[] NOT NULL,
    text_search_vector tsvector NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, deleted_at timestamptz
);
CREATE TABLE mediaplatform_permission (
    id varchar(11) PRIMARY KEY,
    allows_view_item_id varchar(11) UNIQUE REFERENCES mediaplatform_mediaitem DEFERRABLE INITIALLY DEFERRED,
    allows_edit_channel_id varchar(11) UNIQUE REFERENCES mediaplatform_channel DEFERRABLE INITIALLY DEFERRED,
    allows_view_playlist_id varchar(11) UNIQUE REFERENCES mediaplatform_playlist DEFERRABLE INITIALLY DEFERRED,
    allows_create_channel_on_billing_account_id varchar(11) UNIQUE
        REFERENCES mediaplatform_billingaccount DEFERRABLE INITIALLY DEFERRED,
    crsids text[] NOT NULL, lookup_groups text[] NOT NULL, lookup_insts text[] NOT NULL,
    is_public boolean NOT NULL, is_signed_in boolean NOT NULL
);
CREATE TABLE mediaplatform_uploadendpoint (
    id varchar(11) PRIMARY KEY,
    item_id varchar(11) NOT NULL UNIQUE REFERENCES mediaplatform_mediaitem DEFERRABLE INITIALLY DEFERRED,
    url varchar(200) NOT NULL, expires_at timestamptz NOT NULL
);
CREATE TABLE mediaplatform_transcriptionrequest (
    id varchar(11) PRIMARY KEY,
    media_item_id varchar(11) NOT NULL REFERENCES mediaplatform_mediaitem DEFERRABLE INITIALLY DEFERRED,
    state varchar(32) NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
);
CREATE TABLE mediaplatform_jwp_cachedresource (
    key varchar(255) PRIMARY KEY, type varchar(20) NOT NULL, data jsonb NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, deleted_at timestamptz
);
CREATE TABLE mediaplatform_jwp_video (
    key varchar(64) PRIMARY KEY, updated bigint NOT NULL,
    item_id varchar(11) UNIQUE REFERENCES mediaplatform_mediaitem DEFERRABLE INITIALLY DEFERRED,
    resource_id varchar(255) NOT NULL UNIQUE
        REFERENCES mediaplatform_jwp_cachedresource DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE mediaplatform_jwp_channel (
    key varchar(64) PRIMARY KEY, updated bigint NOT NULL,
    channel_id varchar(11) UNIQUE REFERENCES mediaplatform_channel DEFERRABLE INITIALLY DEFERRED,
    resource_id varchar(255) NOT NULL UNIQUE
        REFERENCES mediaplatform_jwp_cachedresource DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE legacysms_mediaitem (
    id bigint PRIMARY KEY,
    item_id varchar(11) UNIQUE REFERENCES mediaplatform_mediaitem DEFERRABLE INITIALLY DEFERRED,
    last_updated_at timestamptz
);
CREATE TABLE legacysms_collection (
    id bigint PRIMARY KEY,
    channel_id varchar(11) UNIQUE REFERENCES mediaplatform_channel DEFERRABLE INITIALLY DEFERRED,
    playlist_id varchar(11) UNIQUE REFERENCES mediaplatform_playlist DEFERRABLE INITIALLY DEFERRED,
    last_updated_at timestamptz
);
