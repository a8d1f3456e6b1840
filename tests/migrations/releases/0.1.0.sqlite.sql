BEGIN TRANSACTION;
CREATE TABLE lineconnect_account (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	line_user_id VARCHAR(33) NOT NULL, 
	display_name TEXT NOT NULL, 
	picture_url TEXT, 
	is_friend BOOLEAN, 
	friend_evidence_at DATETIME, 
	member_id INTEGER, 
	linked_at DATETIME, 
	link_source VARCHAR(100), 
	sealed_tokens TEXT, 
	consent_checked_at DATETIME, 
	friend_asked_at DATETIME, 
	session_generation INTEGER NOT NULL, 
	card_version INTEGER DEFAULT '0' NOT NULL, 
	created_at DATETIME NOT NULL, 
	UNIQUE (line_user_id), 
	UNIQUE (member_id), 
	FOREIGN KEY(member_id) REFERENCES member (id) ON DELETE SET NULL
);
INSERT INTO "lineconnect_account" VALUES(1,'U00000000000000000000000000000001','佐藤 さくら','http://127.0.0.1:36779/static/avatars/user-1.svg',1,'2026-11-28 07:48:15.350852',1,'2026-11-28 07:48:16.908744',NULL,'gAAAAABrCoc_PDDMLL0w1BEOHkZlcSLRNZLAYLoMUYV-cMAkSKH9mzRMLLFUlh-N2HQF-icEji9uS0_RVwW5IUHMqZjq9pUANzbq2YjcDoBx0Vae8a5sdnSdOMfSRhUY9ZLEXeTBwzc4u1CFf2egcXySu7I0R3U-5aMd0yUzZeBNK2WpvXJKR4M4iuAonbuk6IQAiaRo7s-Yf9ouE-jo_R1AUK-EQqFwu2iK0IX_oGNE5ODIHVF-GS9dRnIwwFI8FP35F6PZwWpvc9ce_85y3pVP1E6o09Vpj9yNL5IKhMCQ2kR-2J35djXMIDv7JATxaKPtu1aBPWQbSHuC-sXay0C5XV4QhSZV4dzu7mzyFSyO0L1d54zu0TNKDrbAnwQEs6AnixGI_ciO4tRb42WCs9Njx-fxU7ZAYeUxWCaIver-7gAfIsKJuBf4wr_bSk_1dEzyhbPqHBePuzWZqzOpmZfbY4RvK0NkctGCL1olyRdb4hywmR-3PUI=','2026-11-28 07:48:15.350852',NULL,0,0,'2026-11-28 07:48:15.350852');
INSERT INTO "lineconnect_account" VALUES(2,'U00000000000000000000000000000002','鈴木 一郎','http://127.0.0.1:36779/static/avatars/user-2.svg',1,'2026-11-28 07:48:17.423075',NULL,NULL,NULL,'gAAAAABrCodBOwyuh6vim3sOH_hdZffEowZ2pqzHI9xfxW7OfZCQuzC1ZsbehgZ4cF6E2VA5GGrV9ZkD87k_3eEtfAixa5Bio0f8PsRZDYYklBZgphkMZdUgK6uIYk6P8SLVeG2TJWomhC7cqMhQ0ZoG1oSHi37WoOC5OlkDb-NrV2rU-kpk28hXvCVBL-sYi8O8wZZCv0TObwPd0rjfY7JvhCLBQkP8iddtjhxAtk8MwvvZ0hDz0vPL5yzRrRZJy--H6TDYGy0Xd2Ie7pAxCQS1_JgYU4IY64Ju1A4c5jWAf2UKLhJI3ZC2hgllgC0-I4PrMVrpUFPwzrpFliEnuHSIEalXum0n3fXTxck99ZkftkxtOkdT5p9im5djOF-IhVM7S7x3jaNmsU8suW2vKbkG2B-fsr7K8rWx2U3N8r1omdlK26FviFU8bYpTjt-y74Bk6cgLmky31WT6qqVzeJTXVuviMC_LiWiK63whmg-NZKfUD-it4D0=','2026-11-28 07:48:17.423075',NULL,0,0,'2026-11-28 07:48:17.423075');
CREATE TABLE lineconnect_audit_entry (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	action VARCHAR(40) NOT NULL, 
	actor VARCHAR(10) NOT NULL, 
	account_id INTEGER, 
	member_key VARCHAR(255), 
	CONSTRAINT pk_lineconnect_audit_entry PRIMARY KEY (id)
);
INSERT INTO "lineconnect_audit_entry" VALUES(1,'2026-11-28 07:48:16.908744','linked','member',1,'1');
CREATE TABLE lineconnect_campaign (
	id INTEGER NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	category VARCHAR(40) NOT NULL, 
	state VARCHAR(10) NOT NULL, 
	is_batched BOOLEAN NOT NULL, 
	recipients INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	CONSTRAINT pk_lineconnect_campaign PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO "lineconnect_campaign" VALUES(1,'later','news','running',1,1,'2026-11-28 07:48:43.852952',NULL);
CREATE TABLE lineconnect_card_code (
	account_id INTEGER NOT NULL, 
	code_hash VARCHAR(64) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_card_code PRIMARY KEY (account_id), 
	UNIQUE (code_hash), 
	CONSTRAINT fk_lineconnect_card_code_account_id FOREIGN KEY(account_id) REFERENCES lineconnect_account (id) ON DELETE CASCADE
);
CREATE TABLE lineconnect_chat_link (
	token_hash VARCHAR(64) NOT NULL, 
	account_id INTEGER NOT NULL, 
	nonce_hash VARCHAR(64), 
	member_id INTEGER, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_chat_link PRIMARY KEY (token_hash), 
	UNIQUE (nonce_hash), 
	CONSTRAINT fk_lineconnect_chat_link_account_id FOREIGN KEY(account_id) REFERENCES lineconnect_account (id) ON DELETE CASCADE, 
	FOREIGN KEY(member_id) REFERENCES member (id) ON DELETE SET NULL
);
CREATE TABLE lineconnect_dialogue (
	line_user_id VARCHAR(33) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	step VARCHAR(100) NOT NULL, 
	data JSON NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_dialogue PRIMARY KEY (line_user_id)
);
CREATE TABLE lineconnect_ended_link (
	line_user_hash VARCHAR(64) NOT NULL, 
	ended_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_ended_link PRIMARY KEY (line_user_hash)
);
CREATE TABLE lineconnect_inbox_event (
	webhook_event_id VARCHAR(64) NOT NULL, 
	line_user_id VARCHAR(33), 
	payload TEXT NOT NULL, 
	reply JSON, 
	state VARCHAR(10) NOT NULL, 
	attempts INTEGER NOT NULL, 
	claims INTEGER NOT NULL, 
	reply_attempts INTEGER NOT NULL, 
	is_token_used BOOLEAN NOT NULL, 
	waits_until DATETIME, 
	occurred_at DATETIME NOT NULL, 
	received_at DATETIME NOT NULL, 
	next_attempt_at DATETIME, 
	finished_at DATETIME, 
	error TEXT, 
	CONSTRAINT pk_lineconnect_inbox_event PRIMARY KEY (webhook_event_id)
);
INSERT INTO "lineconnect_inbox_event" VALUES('01FZ74A0TDDPYRVKNK77XKC001','U00000000000000000000000000000001','{"type": "follow", "mode": "active", "timestamp": 1795852124106, "source": {"type": "user", "userId": "U00000000000000000000000000000001"}, "webhookEventId": "01FZ74A0TDDPYRVKNK77XKC001", "deliveryContext": {"isRedelivery": false}, "follow": {"isUnblocked": false}, "replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA"}',NULL,'queued',0,0,0,0,NULL,'2026-11-28 07:48:44.106000','2026-11-28 07:48:44.107461','2026-11-28 07:48:44.107461',NULL,NULL);
CREATE TABLE lineconnect_kept_form (
	handle_hash VARCHAR(64) NOT NULL, 
	path TEXT NOT NULL, 
	sealed_fields TEXT NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_kept_form PRIMARY KEY (handle_hash)
);
CREATE TABLE lineconnect_login_attempt (
	proof_hash VARCHAR(64) NOT NULL, 
	handle_hash VARCHAR(64), 
	account_id INTEGER, 
	intent VARCHAR(8) NOT NULL, 
	member_key VARCHAR(255), 
	email TEXT, 
	next_path TEXT, 
	source VARCHAR(100), 
	consumed_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_login_attempt PRIMARY KEY (proof_hash), 
	UNIQUE (handle_hash), 
	CONSTRAINT fk_lineconnect_login_attempt_account_id FOREIGN KEY(account_id) REFERENCES lineconnect_account (id) ON DELETE CASCADE
);
INSERT INTO "lineconnect_login_attempt" VALUES('8e5bed827cf54d82641d5a400dcc9b9642fbd1a9a3fc840608048afc18a1bfa2',NULL,1,'login',NULL,NULL,NULL,NULL,'2026-11-28 07:48:15.203284','2026-11-28 07:58:15.203284');
INSERT INTO "lineconnect_login_attempt" VALUES('d20fc6594b7e14d4a5d6c7f41cb3108db2a7966b86220c197b4cc1ce5554ee21','585f8fae85595998888e820ae435d5edb56ffa8bdb341aea09deef11191306af',2,'login',NULL,NULL,NULL,NULL,'2026-11-28 07:48:17.336417','2026-11-28 07:58:17.336417');
CREATE TABLE lineconnect_outbox_batch (
	id INTEGER NOT NULL, 
	campaign_id INTEGER, 
	account_ids TEXT NOT NULL, 
	chosen_ids TEXT, 
	first_account_id INTEGER NOT NULL, 
	last_account_id INTEGER NOT NULL, 
	recipients INTEGER NOT NULL, 
	line_user_ids TEXT, 
	category VARCHAR(40) NOT NULL, 
	priority INTEGER NOT NULL, 
	messages TEXT NOT NULL, 
	retry_key VARCHAR(36), 
	state VARCHAR(10) NOT NULL, 
	attempts INTEGER NOT NULL, 
	claims INTEGER NOT NULL, 
	is_uncertain BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	next_attempt_at DATETIME, 
	expires_at DATETIME, 
	first_tried_at DATETIME, 
	accepted_at DATETIME, 
	line_request_id VARCHAR(100), 
	quota_month VARCHAR(7), 
	error TEXT, 
	CONSTRAINT pk_lineconnect_outbox_batch PRIMARY KEY (id), 
	UNIQUE (retry_key), 
	CONSTRAINT fk_lineconnect_outbox_batch_campaign_id FOREIGN KEY(campaign_id) REFERENCES lineconnect_campaign (id) ON DELETE CASCADE
);
INSERT INTO "lineconnect_outbox_batch" VALUES(1,1,'[1]',NULL,1,1,1,NULL,'news',1,'[{"type":"text","text":"later too"}]',NULL,'queued',0,0,0,'2026-11-28 07:48:43.852952','2036-11-25 07:48:43.774133',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE lineconnect_outbox_message (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	dedupe_key VARCHAR(255), 
	campaign_id INTEGER, 
	batch_id INTEGER, 
	category VARCHAR(40) NOT NULL, 
	priority INTEGER NOT NULL, 
	messages TEXT NOT NULL, 
	retry_key VARCHAR(36), 
	state VARCHAR(10) NOT NULL, 
	attempts INTEGER NOT NULL, 
	claims INTEGER NOT NULL, 
	is_uncertain BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	next_attempt_at DATETIME, 
	expires_at DATETIME, 
	first_tried_at DATETIME, 
	accepted_at DATETIME, 
	line_request_id VARCHAR(100), 
	quota_month VARCHAR(7), 
	error TEXT, 
	CONSTRAINT pk_lineconnect_outbox_message PRIMARY KEY (id), 
	UNIQUE (dedupe_key), 
	UNIQUE (retry_key), 
	CONSTRAINT fk_lineconnect_outbox_message_campaign_id FOREIGN KEY(campaign_id) REFERENCES lineconnect_campaign (id) ON DELETE SET NULL, 
	CONSTRAINT fk_lineconnect_outbox_message_batch_id FOREIGN KEY(batch_id) REFERENCES lineconnect_outbox_batch (id) ON DELETE SET NULL, 
	CONSTRAINT fk_lineconnect_outbox_message_account_id FOREIGN KEY(account_id) REFERENCES lineconnect_account (id) ON DELETE CASCADE
);
INSERT INTO "lineconnect_outbox_message" VALUES(1,1,'accepted',NULL,NULL,'account',0,'[{"type":"text","text":"accepted"}]','e5924e2f-89c4-4088-b0b5-4d571e4fd6dc','accepted',1,1,0,'2026-11-28 07:48:17.534618',NULL,NULL,'2026-11-28 07:48:39.511997','2026-11-28 07:48:39.775514','100b6be8ebf3bc1e9a508f6b6dbcbb5b','2026-11',NULL);
INSERT INTO "lineconnect_outbox_message" VALUES(2,1,'later',NULL,NULL,'account',0,'[{"type":"text","text":"later"}]','4d1b181b-a889-46d5-96c0-ef69537a4bda','queued',0,0,0,'2026-11-28 07:48:43.814638','2036-11-25 07:48:43.774133',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE lineconnect_pace (
	endpoint VARCHAR(40) NOT NULL, 
	free_at FLOAT NOT NULL, 
	CONSTRAINT pk_lineconnect_pace PRIMARY KEY (endpoint)
);
INSERT INTO "lineconnect_pace" VALUES('push',1.79585212014768695826e+09);
CREATE TABLE lineconnect_preference (
	account_id INTEGER NOT NULL, 
	category VARCHAR(40) NOT NULL, 
	is_wanted BOOLEAN NOT NULL, 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_preference PRIMARY KEY (account_id, category), 
	CONSTRAINT fk_lineconnect_preference_account_id FOREIGN KEY(account_id) REFERENCES lineconnect_account (id) ON DELETE CASCADE
);
CREATE TABLE lineconnect_quota_month (
	month VARCHAR(7) NOT NULL, 
	granted INTEGER, 
	line_used INTEGER NOT NULL, 
	read_at DATETIME, 
	asked_at DATETIME, 
	own_used INTEGER NOT NULL, 
	foreign_used INTEGER NOT NULL, 
	alerted FLOAT NOT NULL, 
	CONSTRAINT pk_lineconnect_quota_month PRIMARY KEY (month)
);
INSERT INTO "lineconnect_quota_month" VALUES('2026-11',30000,0,'2026-11-28 07:48:39.415807','2026-11-28 07:48:17.878930',1,0,0.0);
CREATE TABLE lineconnect_rich_menu (
	content_hash VARCHAR(64) NOT NULL, 
	rich_menu_id VARCHAR(64) NOT NULL, 
	published_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_rich_menu PRIMARY KEY (content_hash), 
	UNIQUE (rich_menu_id)
);
CREATE TABLE lineconnect_sending_pause (
	reason VARCHAR(20) NOT NULL, 
	until DATETIME NOT NULL, 
	since DATETIME NOT NULL, 
	is_for_marketing_only BOOLEAN NOT NULL, 
	detail TEXT NOT NULL, 
	CONSTRAINT pk_lineconnect_sending_pause PRIMARY KEY (reason)
);
CREATE TABLE lineconnect_unlink_task (
	id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	line_user_id VARCHAR(33) NOT NULL, 
	sealed_tokens TEXT, 
	state VARCHAR(10) NOT NULL, 
	attempts INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	next_attempt_at DATETIME NOT NULL, 
	CONSTRAINT pk_lineconnect_unlink_task PRIMARY KEY (id)
);
CREATE TABLE member (
	id INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	email VARCHAR(254), 
	PRIMARY KEY (id), 
	UNIQUE (email)
);
INSERT INTO "member" VALUES(1,'佐藤 さくら',NULL);
CREATE INDEX ix_lineconnect_audit_entry_at ON lineconnect_audit_entry (at);
CREATE INDEX ix_lineconnect_dialogue_expires_at ON lineconnect_dialogue (expires_at);
CREATE INDEX ix_lineconnect_ended_link_expires_at ON lineconnect_ended_link (expires_at);
CREATE INDEX ix_lineconnect_inbox_event_finished ON lineconnect_inbox_event (state, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX ix_lineconnect_inbox_event_question ON lineconnect_inbox_event (line_user_id) WHERE waits_until IS NOT NULL;
CREATE INDEX ix_lineconnect_inbox_event_order ON lineconnect_inbox_event (occurred_at, webhook_event_id) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX ix_lineconnect_inbox_event_tried ON lineconnect_inbox_event (next_attempt_at) WHERE next_attempt_at IS NOT NULL AND attempts > 0;
CREATE INDEX ix_lineconnect_kept_form_expires_at ON lineconnect_kept_form (expires_at);
CREATE INDEX ix_lineconnect_unlink_task_next_attempt_at ON lineconnect_unlink_task (next_attempt_at);
CREATE INDEX ix_lineconnect_account_consent_checked_at ON lineconnect_account (consent_checked_at);
CREATE INDEX ix_lineconnect_outbox_batch_accounts ON lineconnect_outbox_batch (first_account_id, last_account_id);
CREATE INDEX ix_lineconnect_outbox_batch_due ON lineconnect_outbox_batch (priority, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX ix_lineconnect_outbox_batch_campaign_id ON lineconnect_outbox_batch (campaign_id);
CREATE INDEX ix_lineconnect_card_code_expires_at ON lineconnect_card_code (expires_at);
CREATE INDEX ix_lineconnect_chat_link_expires_at ON lineconnect_chat_link (expires_at);
CREATE INDEX ix_lineconnect_login_attempt_expires_at ON lineconnect_login_attempt (expires_at);
CREATE INDEX ix_lineconnect_outbox_message_account_id ON lineconnect_outbox_message (account_id);
CREATE INDEX ix_lineconnect_outbox_message_due ON lineconnect_outbox_message (priority, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX ix_lineconnect_outbox_message_batch ON lineconnect_outbox_message (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ix_lineconnect_outbox_message_campaign ON lineconnect_outbox_message (campaign_id) WHERE state IN ('queued', 'sending');
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('lineconnect_account',2);
COMMIT;
