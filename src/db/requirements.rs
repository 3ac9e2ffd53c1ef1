//! What we need of a PostgreSQL server, checked at the start and said clearly when missing.

use anyhow::{Context, bail};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, Row};

use super::cluster::{APP_ROLE, MIN_MAJOR};

/// Connects, or says in the reader's words why not.
pub(super) async fn connect(options: &PgConnectOptions) -> anyhow::Result<PgConnection> {
    options.connect().await.with_context(|| {
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        format!(
            "连不上数据库 {place}（用户 {0}）。请检查地址、密码和 pg_hba.conf。\n\
             Cannot connect to the database at {place} as {0}: check address, password and pg_hba.conf",
            options.get_username()
        )
    })
}

/// Version, PostGIS, durability. All that is missing is said at one time.
pub(super) async fn check_server(conn: &mut PgConnection) -> anyhow::Result<()> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int / 10000 AS major,
                current_setting('fsync') AS fsync,
                current_setting('full_page_writes') AS full_page_writes,
                current_setting('synchronous_commit') AS synchronous_commit,
                pg_encoding_to_char(encoding) AS encoding, datctype AS ctype, datname AS database,
                EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'postgis') AS postgis,
                EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm') AS trgm
           FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(conn)
    .await
    .context("checking the server")?;
    let mut wrong: Vec<String> = Vec::new();
    let major: i32 = row.try_get("major")?;
    if major < MIN_MAJOR as i32 {
        wrong.push(format!(
            "PostgreSQL 版本是 {major}，需要 {MIN_MAJOR} 以上。 PostgreSQL is {major}, {MIN_MAJOR} or later is needed."
        ));
    }
    for (column, name) in [("postgis", "PostGIS 3"), ("trgm", "pg_trgm")] {
        if !row.try_get::<bool, _>(column)? {
            wrong.push(format!(
                "服务器上没有 {name}。在数据库服务器上安装：apt-get install postgresql-{major}-postgis-3 postgresql-contrib。 \
                 {name} is not installed on the database server: apt-get install postgresql-{major}-postgis-3 postgresql-contrib there."
            ));
        }
    }
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let value: String = row.try_get(setting)?;
        // remote_write, remote_apply and local all flush here before a commit is acknowledged.
        if value == "off" {
            wrong.push(format!(
                "{setting} 已关闭，断电会丢失已确认的填报：请在 postgresql.conf 中设为 on。 \
                 {setting} is off, so acknowledged reports would be lost in a power cut: set it to on."
            ));
        }
    }
    let encoding: String = row.try_get("encoding")?;
    let ctype: Option<String> = row.try_get("ctype")?;
    if encoding != "UTF8" || matches!(ctype.as_deref(), Some("C" | "POSIX")) {
        wrong.push(format!(
            "数据库的编码是 {encoding}、LC_CTYPE 是 {0}，按汉字搜索会失效：请用 ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' TEMPLATE template0 重建。 \
             The database has encoding {encoding} and LC_CTYPE {0}, under which search finds no Chinese: create it with ENCODING 'UTF8' LC_CTYPE 'C.UTF-8' TEMPLATE template0.",
            ctype.unwrap_or_default()
        ));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let database: String = row.try_get("database")?;
    bail!(
        "数据库 {database} 不满足要求：\nThe database {database} does not meet the requirements:\n  - {}",
        wrong.join("\n  - ")
    )
}

/// What the owner must be able to do before migrations run. All that is missing is said at one time.
pub(super) async fn check_owner(conn: &mut PgConnection) -> anyhow::Result<()> {
    let row = sqlx::query(
        "SELECT current_user::text AS me, r.rolsuper AS super, r.rolcreaterole AS creates_roles,
                (SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'public')
                  AS owns_schema,
                EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgis') AS postgis,
                EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm') AS trgm,
                has_database_privilege(current_user, current_database(), 'CREATE') AS creates_extensions,
                EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) AS app_exists,
                current_database()::text AS database
           FROM pg_roles r WHERE r.rolname = current_user",
    )
    .bind(APP_ROLE)
    .fetch_one(conn)
    .await
    .context("checking the owner's rights")?;
    let has = |column: &str| row.try_get::<bool, _>(column);
    let me: String = row.try_get("me")?;
    let database: String = row.try_get("database")?;
    if has("super")? {
        return Ok(());
    }
    let mut wrong: Vec<String> = Vec::new();
    // Creating tables there is not enough: the migrations give rights on it to the program's role.
    if !row.try_get::<Option<bool>, _>("owns_schema")?.unwrap_or(false) {
        wrong.push(format!("ALTER SCHEMA public OWNER TO {me};"));
    }
    if !has("postgis")? {
        wrong.push("CREATE EXTENSION postgis;".into());
    }
    // pg_trgm is trusted: whoever may create in the database may install it.
    if !has("trgm")? && !has("creates_extensions")? {
        wrong.push("CREATE EXTENSION pg_trgm;".into());
    }
    if !has("creates_roles")? && !has("app_exists")? {
        wrong.push(format!("ALTER ROLE {me} CREATEROLE;"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!(
        "用户 {me} 在数据库 {database} 中权限不足，请数据库管理员在该库执行：\n\
         The user {me} lacks rights in the database {database}. Ask a superuser to run there:\n  {}",
        wrong.join("\n  ")
    )
}

/// Lets the owner work as the role of the program, so that one address is enough to begin with.
pub(super) async fn lend_app_role(conn: &mut PgConnection) -> anyhow::Result<()> {
    let may_become: bool = sqlx::query_scalar("SELECT pg_has_role(current_user, $1, 'MEMBER')")
        .bind(APP_ROLE)
        .fetch_one(&mut *conn)
        .await?;
    if !may_become && let Err(error) = sqlx::query("GRANT cuntong_app TO CURRENT_USER").execute(conn).await {
        // Not needed when DATABASE_URL names the role itself.
        tracing::info!(%error, "the owner cannot work as {APP_ROLE}");
    }
    Ok(())
}

/// The options that the pool connects with. A role that could bypass the policies, or that owns
/// the tables, is lent only: the pool works as `cuntong_app`.
pub(super) async fn app_role(
    conn: &mut PgConnection,
    options: PgConnectOptions,
) -> anyhow::Result<PgConnectOptions> {
    let row = sqlx::query(
        "SELECT current_user::text AS me,
                r.rolsuper OR r.rolbypassrls AS bypasses,
                EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user) AS owns
           FROM pg_roles r WHERE r.rolname = current_user",
    )
    .fetch_one(conn)
    .await?;
    let me: String = row.try_get("me")?;
    if me == APP_ROLE {
        return Ok(options);
    }
    let (bypasses, owns): (bool, bool) = (row.try_get("bypasses")?, row.try_get("owns")?);
    if bypasses || owns {
        tracing::warn!(
            user = me,
            "this database user owns the tables or bypasses their policies; serving as {APP_ROLE} instead"
        );
    }
    Ok(options.options([("role", APP_ROLE)]))
}

/// Whether the role of this connection may work as the role of the program.
pub(super) async fn require_app_role(conn: &mut PgConnection) -> anyhow::Result<()> {
    let row = sqlx::query(
        "SELECT current_user::text AS me,
                EXISTS (SELECT 1 FROM pg_roles a
                         WHERE a.rolname = $1 AND pg_has_role(current_user, a.oid, 'MEMBER')) AS may_become",
    )
    .bind(APP_ROLE)
    .fetch_one(conn)
    .await?;
    if row.try_get("may_become")? {
        return Ok(());
    }
    let me: String = row.try_get("me")?;
    bail!(
        "数据库用户 {me} 不能以 {APP_ROLE} 的身份工作。请执行：GRANT {APP_ROLE} TO {me}; 或在 DATABASE_URL 中直接使用 {APP_ROLE}。\n\
         The database user {me} may not work as {APP_ROLE}. Run GRANT {APP_ROLE} TO {me}; or name {APP_ROLE} in DATABASE_URL"
    )
}
