CREATE TABLE public.lineconnect_account (
    id integer NOT NULL,
    line_user_id character varying(33) NOT NULL,
    display_name text NOT NULL,
    picture_url text,
    is_friend boolean,
    friend_evidence_at timestamp with time zone,
    member_id integer,
    linked_at timestamp with time zone,
    link_source character varying(100),
    sealed_tokens text,
    consent_checked_at timestamp with time zone,
    friend_asked_at timestamp with time zone,
    session_generation integer NOT NULL,
    card_version integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.lineconnect_account_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lineconnect_account_id_seq OWNED BY public.lineconnect_account.id;
CREATE TABLE public.lineconnect_audit_entry (
    id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    action character varying(40) NOT NULL,
    actor character varying(10) NOT NULL,
    account_id integer,
    member_key character varying(255)
);
CREATE SEQUENCE public.lineconnect_audit_entry_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lineconnect_audit_entry_id_seq OWNED BY public.lineconnect_audit_entry.id;
CREATE TABLE public.lineconnect_campaign (
    id integer NOT NULL,
    key character varying(255) NOT NULL,
    category character varying(40) NOT NULL,
    state character varying(10) NOT NULL,
    is_batched boolean NOT NULL,
    recipients integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone
);
CREATE SEQUENCE public.lineconnect_campaign_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lineconnect_campaign_id_seq OWNED BY public.lineconnect_campaign.id;
CREATE TABLE public.lineconnect_card_code (
    account_id integer NOT NULL,
    code_hash character varying(64) NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_chat_link (
    token_hash character varying(64) NOT NULL,
    account_id integer NOT NULL,
    nonce_hash character varying(64),
    member_id integer,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_dialogue (
    line_user_id character varying(33) NOT NULL,
    name character varying(100) NOT NULL,
    step character varying(100) NOT NULL,
    data json NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_ended_link (
    line_user_hash character varying(64) NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_inbox_event (
    webhook_event_id character varying(64) NOT NULL,
    line_user_id character varying(33),
    payload text NOT NULL,
    reply json,
    state character varying(10) NOT NULL,
    attempts integer NOT NULL,
    claims integer NOT NULL,
    reply_attempts integer NOT NULL,
    is_token_used boolean NOT NULL,
    waits_until timestamp with time zone,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone,
    finished_at timestamp with time zone,
    error text
);
CREATE TABLE public.lineconnect_kept_form (
    handle_hash character varying(64) NOT NULL,
    path text NOT NULL,
    sealed_fields text NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_login_attempt (
    proof_hash character varying(64) NOT NULL,
    handle_hash character varying(64),
    account_id integer,
    intent character varying(8) NOT NULL,
    member_key character varying(255),
    email text,
    next_path text,
    source character varying(100),
    consumed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_outbox_batch (
    id integer NOT NULL,
    campaign_id integer,
    account_ids text NOT NULL,
    chosen_ids text,
    first_account_id integer NOT NULL,
    last_account_id integer NOT NULL,
    recipients integer NOT NULL,
    line_user_ids text,
    category character varying(40) NOT NULL,
    priority integer NOT NULL,
    messages text NOT NULL,
    retry_key character varying(36),
    state character varying(10) NOT NULL,
    attempts integer NOT NULL,
    claims integer NOT NULL,
    is_uncertain boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone,
    expires_at timestamp with time zone,
    first_tried_at timestamp with time zone,
    accepted_at timestamp with time zone,
    line_request_id character varying(100),
    quota_month character varying(7),
    error text
);
CREATE SEQUENCE public.lineconnect_outbox_batch_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lineconnect_outbox_batch_id_seq OWNED BY public.lineconnect_outbox_batch.id;
CREATE TABLE public.lineconnect_outbox_message (
    id integer NOT NULL,
    account_id integer NOT NULL,
    dedupe_key character varying(255),
    campaign_id integer,
    batch_id integer,
    category character varying(40) NOT NULL,
    priority integer NOT NULL,
    messages text NOT NULL,
    retry_key character varying(36),
    state character varying(10) NOT NULL,
    attempts integer NOT NULL,
    claims integer NOT NULL,
    is_uncertain boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone,
    expires_at timestamp with time zone,
    first_tried_at timestamp with time zone,
    accepted_at timestamp with time zone,
    line_request_id character varying(100),
    quota_month character varying(7),
    error text
);
CREATE SEQUENCE public.lineconnect_outbox_message_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lineconnect_outbox_message_id_seq OWNED BY public.lineconnect_outbox_message.id;
CREATE TABLE public.lineconnect_pace (
    endpoint character varying(40) NOT NULL,
    free_at double precision NOT NULL
);
CREATE TABLE public.lineconnect_preference (
    account_id integer NOT NULL,
    category character varying(40) NOT NULL,
    is_wanted boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_quota_month (
    month character varying(7) NOT NULL,
    granted integer,
    line_used integer NOT NULL,
    read_at timestamp with time zone,
    asked_at timestamp with time zone,
    own_used integer NOT NULL,
    foreign_used integer NOT NULL,
    alerted double precision NOT NULL
);
CREATE TABLE public.lineconnect_rich_menu (
    content_hash character varying(64) NOT NULL,
    rich_menu_id character varying(64) NOT NULL,
    published_at timestamp with time zone NOT NULL
);
CREATE TABLE public.lineconnect_sending_pause (
    reason character varying(20) NOT NULL,
    until timestamp with time zone NOT NULL,
    since timestamp with time zone NOT NULL,
    is_for_marketing_only boolean NOT NULL,
    detail text NOT NULL
);
CREATE TABLE public.lineconnect_unlink_task (
    id integer NOT NULL,
    account_id integer NOT NULL,
    line_user_id character varying(33) NOT NULL,
    sealed_tokens text,
    state character varying(10) NOT NULL,
    attempts integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.lineconnect_unlink_task_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.lineconnect_unlink_task_id_seq OWNED BY public.lineconnect_unlink_task.id;
CREATE TABLE public.member (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    email character varying(254)
);
CREATE SEQUENCE public.member_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.member_id_seq OWNED BY public.member.id;
ALTER TABLE ONLY public.lineconnect_account ALTER COLUMN id SET DEFAULT nextval('public.lineconnect_account_id_seq'::regclass);
ALTER TABLE ONLY public.lineconnect_audit_entry ALTER COLUMN id SET DEFAULT nextval('public.lineconnect_audit_entry_id_seq'::regclass);
ALTER TABLE ONLY public.lineconnect_campaign ALTER COLUMN id SET DEFAULT nextval('public.lineconnect_campaign_id_seq'::regclass);
ALTER TABLE ONLY public.lineconnect_outbox_batch ALTER COLUMN id SET DEFAULT nextval('public.lineconnect_outbox_batch_id_seq'::regclass);
ALTER TABLE ONLY public.lineconnect_outbox_message ALTER COLUMN id SET DEFAULT nextval('public.lineconnect_outbox_message_id_seq'::regclass);
ALTER TABLE ONLY public.lineconnect_unlink_task ALTER COLUMN id SET DEFAULT nextval('public.lineconnect_unlink_task_id_seq'::regclass);
ALTER TABLE ONLY public.member ALTER COLUMN id SET DEFAULT nextval('public.member_id_seq'::regclass);
INSERT INTO public.lineconnect_account VALUES (1, 'U00000000000000000000000000000001', '佐藤 さくら', 'http://127.0.0.1:36779/static/avatars/user-1.svg', true, '2026-11-28 07:48:56.94805+00', 1, '2026-11-28 07:48:58.876407+00', NULL, 'gAAAAABrCodopFpoiKUeoFCTfycEE1aCUjJTa6DyjPNzxcs-L4HkTroKv4NmN7s9UNvYpP55DElFcrLLFtTiCbrMVHt01_cFqgfpEsdM9kQQ5NM2UEXw-2IugzBjjZFO9El4JE2Pv9OQgYk2uiHtLDqWTdoBROkcS1bUzBtKXpscXxZ499Asf3HxPgjaGbLfrCCXg3i2uXQGodlm94zpJ3hNiKG-MtewzXJlUXUoNSdzPC1bnG1qb4SLuDHxH6PQGRfl6VSxH99YamUj1BLMKVqKWzTinOnnsXCovWXXuoJTJezBtEQD6szDA05BdmhiE6ulcUBBtI9SJSIYNpvA4xJrGiUyvVqm8SMulibRGs32UXEiCNSRWyfbJIz0rqsUJ9b9jG2hGPe7nn_pju6P4b8_ezsQDHS_cG8hTz3HQv24SsUS41OkIb68mCxWPoWmzCn2snqALe7QOv7y_XPSDwHOpZSotymxiEVnMlyTixIZzmKNsazYphM=', '2026-11-28 07:48:56.94805+00', NULL, 0, 0, '2026-11-28 07:48:56.94805+00');
INSERT INTO public.lineconnect_account VALUES (2, 'U00000000000000000000000000000002', '鈴木 一郎', 'http://127.0.0.1:36779/static/avatars/user-2.svg', true, '2026-11-28 07:48:59.744303+00', NULL, NULL, NULL, 'gAAAAABrCodrPdKjrN2bnQhUiLDEuRK2zPbk8IjF3B-zyi7fkupyjA3bQco21RkYurgyf4RGfDA09C9TNZMs5Zq5eLzH936vffSd7fZax6I-8W-923jZmaRdANbYRcoUeXNFn2_z5qgqvEJoO1cO076a3dCW2fJLbN3fnUNYBhlVSBXNxskcVWx2luOHn-UJj5hd7vFuCF--mIhxE5dkP7IYdw_ksqXveSYXtLYfOn-fRjsCiGkaWZYai9QQsAcnHo34F6XRnv-6vct5t0IlAwolyxsjOiXfEVnBIRTozdvUpIgae-IH9fSamuj5JgoJ5mgvpF-93bWVItBRa62sryyPG43f8Y9RzZcTD2N4N5K-UN7n0xsyml_2t5eybAyUAyUHHUJvVsU_oa55ZdgzUXtLgwTDVvX3mW1yNvULXLgJOAlGdwejZnfxzDsUnhpgoOMJ0qLiUIarrNKki-QjBR_ZZxla5KaPBZIy9b7VHF1YEOh028-N3Hw=', '2026-11-28 07:48:59.744303+00', NULL, 0, 0, '2026-11-28 07:48:59.744303+00');
INSERT INTO public.lineconnect_audit_entry VALUES (1, '2026-11-28 07:48:58.876407+00', 'linked', 'member', 1, '1');
INSERT INTO public.lineconnect_campaign VALUES (1, 'later', 'news', 'running', true, 1, '2026-11-28 07:49:03.532346+00', NULL);
INSERT INTO public.lineconnect_inbox_event VALUES ('01FZ74A0TDDPYRVKNK77XKC001', 'U00000000000000000000000000000001', '{"type": "follow", "mode": "active", "timestamp": 1795852143837, "source": {"type": "user", "userId": "U00000000000000000000000000000001"}, "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC001", "deliveryContext": {"isRedelivery": false}, "follow": {"isUnblocked": false}, "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"}', NULL, 'queued', 0, 0, 0, false, NULL, '2026-11-28 07:49:03.837+00', '2026-11-28 07:49:03.83802+00', '2026-11-28 07:49:03.83802+00', NULL, NULL);
INSERT INTO public.lineconnect_login_attempt VALUES ('5e932a00bbe9a89e68cefd62f9e1aec11119c5ea58de6f23b8ffc6496ae3452a', NULL, 1, 'login', NULL, NULL, NULL, NULL, '2026-11-28 07:48:56.752041+00', '2026-11-28 07:58:56.752041+00');
INSERT INTO public.lineconnect_login_attempt VALUES ('898ff80995f0c53b61887b853de30769d45d06c2a3dfa4571d15a9601289f2e1', '6e456cf8f3aa25a07532e67f95130bde6115facd5aa697c495c2801f305f561e', 2, 'login', NULL, NULL, NULL, NULL, '2026-11-28 07:48:59.552929+00', '2026-11-28 07:58:59.552929+00');
INSERT INTO public.lineconnect_outbox_batch VALUES (1, 1, '[1]', NULL, 1, 1, 1, NULL, 'news', 1, '[{"type":"text","text":"later too"}]', NULL, 'queued', 0, 0, false, '2026-11-28 07:49:03.532346+00', '2036-11-25 07:49:03.498992+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.lineconnect_outbox_message VALUES (1, 1, 'accepted', NULL, NULL, 'account', 0, '[{"type":"text","text":"accepted"}]', 'c5173b1a-79e5-43b7-9ba3-6f386ab80287', 'accepted', 1, 1, false, '2026-11-28 07:49:00.056059+00', NULL, NULL, '2026-11-28 07:49:01.283001+00', '2026-11-28 07:49:02.091405+00', 'be96150ef23f2b4aff70b5162f780581', '2026-11', NULL);
INSERT INTO public.lineconnect_outbox_message VALUES (2, 1, 'later', NULL, NULL, 'account', 0, '[{"type":"text","text":"later"}]', 'a2b787f8-488c-4742-a28c-3c5d94621b10', 'queued', 0, 0, false, '2026-11-28 07:49:03.516917+00', '2036-11-25 07:49:03.498992+00', NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.lineconnect_pace VALUES ('push', 1795852142.410237);
INSERT INTO public.lineconnect_quota_month VALUES ('2026-11', 30000, 0, '2026-11-28 07:49:01.160059+00', '2026-11-28 07:49:00.76434+00', 1, 0, 0);
INSERT INTO public.member VALUES (1, '佐藤 さくら', NULL);
SELECT pg_catalog.setval('public.lineconnect_account_id_seq', 2, true);
SELECT pg_catalog.setval('public.lineconnect_audit_entry_id_seq', 1, true);
SELECT pg_catalog.setval('public.lineconnect_campaign_id_seq', 1, true);
SELECT pg_catalog.setval('public.lineconnect_outbox_batch_id_seq', 1, true);
SELECT pg_catalog.setval('public.lineconnect_outbox_message_id_seq', 2, true);
SELECT pg_catalog.setval('public.lineconnect_unlink_task_id_seq', 1, false);
SELECT pg_catalog.setval('public.member_id_seq', 1, true);
ALTER TABLE ONLY public.lineconnect_account
    ADD CONSTRAINT lineconnect_account_line_user_id_key UNIQUE (line_user_id);
ALTER TABLE ONLY public.lineconnect_account
    ADD CONSTRAINT lineconnect_account_member_id_key UNIQUE (member_id);
ALTER TABLE ONLY public.lineconnect_campaign
    ADD CONSTRAINT lineconnect_campaign_key_key UNIQUE (key);
ALTER TABLE ONLY public.lineconnect_card_code
    ADD CONSTRAINT lineconnect_card_code_code_hash_key UNIQUE (code_hash);
ALTER TABLE ONLY public.lineconnect_chat_link
    ADD CONSTRAINT lineconnect_chat_link_nonce_hash_key UNIQUE (nonce_hash);
ALTER TABLE ONLY public.lineconnect_login_attempt
    ADD CONSTRAINT lineconnect_login_attempt_handle_hash_key UNIQUE (handle_hash);
ALTER TABLE ONLY public.lineconnect_outbox_batch
    ADD CONSTRAINT lineconnect_outbox_batch_retry_key_key UNIQUE (retry_key);
ALTER TABLE ONLY public.lineconnect_outbox_message
    ADD CONSTRAINT lineconnect_outbox_message_dedupe_key_key UNIQUE (dedupe_key);
ALTER TABLE ONLY public.lineconnect_outbox_message
    ADD CONSTRAINT lineconnect_outbox_message_retry_key_key UNIQUE (retry_key);
ALTER TABLE ONLY public.lineconnect_rich_menu
    ADD CONSTRAINT lineconnect_rich_menu_rich_menu_id_key UNIQUE (rich_menu_id);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_email_key UNIQUE (email);
ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.lineconnect_account
    ADD CONSTRAINT pk_lineconnect_account PRIMARY KEY (id);
ALTER TABLE ONLY public.lineconnect_audit_entry
    ADD CONSTRAINT pk_lineconnect_audit_entry PRIMARY KEY (id);
ALTER TABLE ONLY public.lineconnect_campaign
    ADD CONSTRAINT pk_lineconnect_campaign PRIMARY KEY (id);
ALTER TABLE ONLY public.lineconnect_card_code
    ADD CONSTRAINT pk_lineconnect_card_code PRIMARY KEY (account_id);
ALTER TABLE ONLY public.lineconnect_chat_link
    ADD CONSTRAINT pk_lineconnect_chat_link PRIMARY KEY (token_hash);
ALTER TABLE ONLY public.lineconnect_dialogue
    ADD CONSTRAINT pk_lineconnect_dialogue PRIMARY KEY (line_user_id);
ALTER TABLE ONLY public.lineconnect_ended_link
    ADD CONSTRAINT pk_lineconnect_ended_link PRIMARY KEY (line_user_hash);
ALTER TABLE ONLY public.lineconnect_inbox_event
    ADD CONSTRAINT pk_lineconnect_inbox_event PRIMARY KEY (webhook_event_id);
ALTER TABLE ONLY public.lineconnect_kept_form
    ADD CONSTRAINT pk_lineconnect_kept_form PRIMARY KEY (handle_hash);
ALTER TABLE ONLY public.lineconnect_login_attempt
    ADD CONSTRAINT pk_lineconnect_login_attempt PRIMARY KEY (proof_hash);
ALTER TABLE ONLY public.lineconnect_outbox_batch
    ADD CONSTRAINT pk_lineconnect_outbox_batch PRIMARY KEY (id);
ALTER TABLE ONLY public.lineconnect_outbox_message
    ADD CONSTRAINT pk_lineconnect_outbox_message PRIMARY KEY (id);
ALTER TABLE ONLY public.lineconnect_pace
    ADD CONSTRAINT pk_lineconnect_pace PRIMARY KEY (endpoint);
ALTER TABLE ONLY public.lineconnect_preference
    ADD CONSTRAINT pk_lineconnect_preference PRIMARY KEY (account_id, category);
ALTER TABLE ONLY public.lineconnect_quota_month
    ADD CONSTRAINT pk_lineconnect_quota_month PRIMARY KEY (month);
ALTER TABLE ONLY public.lineconnect_rich_menu
    ADD CONSTRAINT pk_lineconnect_rich_menu PRIMARY KEY (content_hash);
ALTER TABLE ONLY public.lineconnect_sending_pause
    ADD CONSTRAINT pk_lineconnect_sending_pause PRIMARY KEY (reason);
ALTER TABLE ONLY public.lineconnect_unlink_task
    ADD CONSTRAINT pk_lineconnect_unlink_task PRIMARY KEY (id);
CREATE INDEX ix_lineconnect_account_consent_checked_at ON public.lineconnect_account USING btree (consent_checked_at);
CREATE INDEX ix_lineconnect_audit_entry_at ON public.lineconnect_audit_entry USING btree (at);
CREATE INDEX ix_lineconnect_card_code_expires_at ON public.lineconnect_card_code USING btree (expires_at);
CREATE INDEX ix_lineconnect_chat_link_expires_at ON public.lineconnect_chat_link USING btree (expires_at);
CREATE INDEX ix_lineconnect_dialogue_expires_at ON public.lineconnect_dialogue USING btree (expires_at);
CREATE INDEX ix_lineconnect_ended_link_expires_at ON public.lineconnect_ended_link USING btree (expires_at);
CREATE INDEX ix_lineconnect_inbox_event_finished ON public.lineconnect_inbox_event USING btree (state, finished_at) WHERE (finished_at IS NOT NULL);
CREATE INDEX ix_lineconnect_inbox_event_order ON public.lineconnect_inbox_event USING btree (occurred_at, webhook_event_id) WHERE (next_attempt_at IS NOT NULL);
CREATE INDEX ix_lineconnect_inbox_event_question ON public.lineconnect_inbox_event USING btree (line_user_id) WHERE (waits_until IS NOT NULL);
CREATE INDEX ix_lineconnect_inbox_event_tried ON public.lineconnect_inbox_event USING btree (next_attempt_at) WHERE ((next_attempt_at IS NOT NULL) AND (attempts > 0));
CREATE INDEX ix_lineconnect_kept_form_expires_at ON public.lineconnect_kept_form USING btree (expires_at);
CREATE INDEX ix_lineconnect_login_attempt_expires_at ON public.lineconnect_login_attempt USING btree (expires_at);
CREATE INDEX ix_lineconnect_outbox_batch_accounts ON public.lineconnect_outbox_batch USING btree (first_account_id, last_account_id);
CREATE INDEX ix_lineconnect_outbox_batch_campaign_id ON public.lineconnect_outbox_batch USING btree (campaign_id);
CREATE INDEX ix_lineconnect_outbox_batch_due ON public.lineconnect_outbox_batch USING btree (priority, next_attempt_at) WHERE (next_attempt_at IS NOT NULL);
CREATE INDEX ix_lineconnect_outbox_message_account_id ON public.lineconnect_outbox_message USING btree (account_id);
CREATE INDEX ix_lineconnect_outbox_message_batch ON public.lineconnect_outbox_message USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX ix_lineconnect_outbox_message_campaign ON public.lineconnect_outbox_message USING btree (campaign_id) WHERE ((state)::text = ANY ((ARRAY['queued'::character varying, 'sending'::character varying])::text[]));
CREATE INDEX ix_lineconnect_outbox_message_due ON public.lineconnect_outbox_message USING btree (priority, next_attempt_at) WHERE (next_attempt_at IS NOT NULL);
CREATE INDEX ix_lineconnect_unlink_task_next_attempt_at ON public.lineconnect_unlink_task USING btree (next_attempt_at);
ALTER TABLE ONLY public.lineconnect_card_code
    ADD CONSTRAINT fk_lineconnect_card_code_account_id FOREIGN KEY (account_id) REFERENCES public.lineconnect_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.lineconnect_chat_link
    ADD CONSTRAINT fk_lineconnect_chat_link_account_id FOREIGN KEY (account_id) REFERENCES public.lineconnect_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.lineconnect_login_attempt
    ADD CONSTRAINT fk_lineconnect_login_attempt_account_id FOREIGN KEY (account_id) REFERENCES public.lineconnect_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.lineconnect_outbox_batch
    ADD CONSTRAINT fk_lineconnect_outbox_batch_campaign_id FOREIGN KEY (campaign_id) REFERENCES public.lineconnect_campaign(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.lineconnect_outbox_message
    ADD CONSTRAINT fk_lineconnect_outbox_message_account_id FOREIGN KEY (account_id) REFERENCES public.lineconnect_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.lineconnect_outbox_message
    ADD CONSTRAINT fk_lineconnect_outbox_message_batch_id FOREIGN KEY (batch_id) REFERENCES public.lineconnect_outbox_batch(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.lineconnect_outbox_message
    ADD CONSTRAINT fk_lineconnect_outbox_message_campaign_id FOREIGN KEY (campaign_id) REFERENCES public.lineconnect_campaign(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.lineconnect_preference
    ADD CONSTRAINT fk_lineconnect_preference_account_id FOREIGN KEY (account_id) REFERENCES public.lineconnect_account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.lineconnect_account
    ADD CONSTRAINT lineconnect_account_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.lineconnect_chat_link
    ADD CONSTRAINT lineconnect_chat_link_member_id_fkey FOREIGN KEY (member_id) REFERENCES public.member(id) ON DELETE SET NULL;
