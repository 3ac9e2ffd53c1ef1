//! `cuntong user`: accounts.

use std::io::BufRead;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use rand::RngCore;
use sqlx::{Connection, PgConnection};

use super::with_database;
use crate::app::manage_accounts::{self, Actor, NewAccount, NewGrant};
use crate::clock::Clock;
use crate::config::Config;

/// 账号。 Accounts
#[derive(Debug, Subcommand)]
pub enum User {
    /// 新建账号。 Add an account
    Add(Add),
    /// 停用账号，立即结束其登录。 Disable an account and end its sessions at once
    Disable(Login),
    /// 授予角色。 Give a role
    Grant(Grant),
    /// 收回角色。 Take a role back
    Revoke(Revoke),
    /// 重设密码，立即结束其登录。 Set a password and end the account's sessions
    SetPassword(SetPassword),
    /// 列出账号。 List accounts
    List,
}

/// Whose account.
#[derive(Debug, Args)]
pub struct Login {
    /// 账号名。 Name to sign in with
    login: String,
}

/// A role in an area.
#[derive(Debug, Args)]
pub struct Role {
    /// 角色。 Role: clerk reviewer town poverty_office planner leader inspector auditor administrator
    #[arg(long, value_name = "ROLE", value_parser = ["clerk", "reviewer", "town", "poverty_office", "planner",
        "leader", "inspector", "auditor", "administrator"])]
    role: String,
    /// 辖区代码，如 441424。 Code of the area
    #[arg(long, value_name = "CODE")]
    area: String,
    /// 行业，逗号分隔 [默认：全部]。 Sectors, comma-separated [default: all]
    #[arg(long, value_name = "SECTOR,…", value_delimiter = ',')]
    sectors: Vec<String>,
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub struct Password {
    /// 从标准输入读密码 [默认：生成一个并显示一次]。 Read the password from standard input [default: make one and show it once]
    #[arg(long)]
    password_stdin: bool,
}

/// Options of `cuntong user add`.
#[derive(Debug, Args)]
pub struct Add {
    #[command(flatten)]
    login: Login,
    /// 姓名。 Name to show
    #[arg(long, value_name = "NAME")]
    name: String,
    /// 单位。 Unit
    #[arg(long, value_name = "UNIT")]
    unit: String,
    /// 界面语言。 Language
    #[arg(long, value_name = "LOCALE", default_value = "zh", value_parser = ["zh", "en"])]
    locale: String,
    #[command(flatten)]
    role: Role,
    #[command(flatten)]
    password: Password,
}

/// Options of `cuntong user grant`.
#[derive(Debug, Args)]
pub struct Grant {
    #[command(flatten)]
    login: Login,
    #[command(flatten)]
    role: Role,
}

/// Options of `cuntong user revoke`.
#[derive(Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    login: Login,
    /// 角色。 Role
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// 辖区代码。 Code of the area
    #[arg(long, value_name = "CODE")]
    area: String,
}

/// Options of `cuntong user set-password`.
#[derive(Debug, Args)]
pub struct SetPassword {
    #[command(flatten)]
    login: Login,
    #[command(flatten)]
    password: Password,
}

impl User {
    /// Runs it as the owner of the tables.
    pub async fn run(self, config: Config) -> anyhow::Result<()> {
        with_database(&config, async move |database| {
            let mut owner = database.connect_owner().await?;
            let outcome = self.apply(&mut owner).await;
            owner.close().await?;
            outcome
        })
        .await
    }

    async fn apply(&self, db: &mut PgConnection) -> anyhow::Result<()> {
        let actor = Actor { name: operator(), now: Clock::default().now() };
        match self {
            Self::Add(add) => {
                let (password, made) = add.password.obtain()?;
                let account = NewAccount {
                    login: add.login.login.clone(),
                    display_name: add.name.clone(),
                    unit_name: add.unit.clone(),
                    locale: add.locale.clone(),
                    password,
                };
                manage_accounts::add(db, &actor, &account, &add.role.grant()).await?;
                println!("已新建 Added: {}", account.login);
                show(made, &account.password);
            }
            Self::Disable(Login { login }) => {
                let ended = manage_accounts::disable(db, &actor, login).await?;
                println!("已停用 Disabled: {login}（结束 {ended} 次登录 {ended} sessions ended）");
            }
            Self::Grant(grant) => {
                manage_accounts::grant(db, &actor, &grant.login.login, &grant.role.grant()).await?;
                println!("已授予 Granted: {} {} {}", grant.login.login, grant.role.role, grant.role.area);
            }
            Self::Revoke(Revoke { login, role, area }) => {
                manage_accounts::revoke(db, &actor, &login.login, role, area).await?;
                println!("已收回 Revoked: {} {role} {area}", login.login);
            }
            Self::SetPassword(SetPassword { login, password }) => {
                let (password, made) = password.obtain()?;
                let ended = manage_accounts::set_password(db, &actor, &login.login, &password).await?;
                println!(
                    "密码已设 Password set: {}（结束 {ended} 次登录 {ended} sessions ended）",
                    login.login
                );
                show(made, &password);
            }
            Self::List => {
                for account in manage_accounts::list(db).await? {
                    let state = if account.disabled { "  停用 disabled" } else { "" };
                    println!("{}  {}  {}{state}", account.login, account.display_name, account.unit_name);
                    for grant in account.grants {
                        println!("    {grant}");
                    }
                }
            }
        }
        Ok(())
    }
}

impl Role {
    fn grant(&self) -> NewGrant {
        NewGrant { role: self.role.clone(), area: self.area.clone(), sectors: self.sectors.clone() }
    }
}

impl Password {
    /// The password, and whether it was made here.
    fn obtain(&self) -> anyhow::Result<(String, bool)> {
        if self.password_stdin {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).context("标准输入 standard input")?;
            return Ok((line.trim_end_matches(['\r', '\n']).to_owned(), false));
        }
        let mut bytes = [0_u8; 12];
        rand::rng().fill_bytes(&mut bytes);
        Ok((URL_SAFE_NO_PAD.encode(bytes), true))
    }
}

fn show(made: bool, password: &str) {
    if made {
        println!("初始密码（只显示这一次） Password, shown this once: {password}");
    }
}

/// Who runs the command, for the audit.
fn operator() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
