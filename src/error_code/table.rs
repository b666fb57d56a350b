//! The service's table of codes, and of what may come in their place, in words for a person.

use super::{Class, Code, Lang, Then};

/// One code: what it means for an import, what it says, and what the person should do now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) code: Code,
    pub(super) class: Class,
    pub(super) meaning: Text,
    pub(super) advice: Text,
}

/// A text in English and in Simplified Chinese.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    en: &'static str,
    zh: &'static str,
}

impl Text {
    pub(super) fn in_lang(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

const fn row(code: Code, class: Class, meaning: Text, advice: Text) -> Entry {
    Entry { code, class, meaning, advice }
}

const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

const fn service(code: i64, class: Class, meaning: Text, advice: Text) -> Entry {
    row(Code::Service(code), class, meaning, advice)
}

/// Three tries: sources disagree about these, or they pass.
const fn thrice(then: Then) -> Class {
    Class::TransientAtMost { tries: 3, then }
}

const NOTHING: Text = text("nothing needs doing", "无需处理");
const LATER: Text = text(
    "resume the run later; if it goes on, ask the vendor with the time and your SDKAppID",
    "稍后续传；若持续出现，请带上时间与 SDKAppID 咨询腾讯云",
);
const SLOWER: Text = text(
    "give a lower --rate if other programs call the same app",
    "若有其他程序也在调用该应用，请用 --rate 降低速率",
);
const REQUEST: Text = text(
    "check --region or --endpoint, and any proxy that rewrites requests on the way",
    "请检查 --region 或 --endpoint，以及途中是否有改写请求的代理",
);
const APP_ID: Text = text(
    "give the SDKAppID that the console shows for this app: --sdk-app-id",
    "请用 --sdk-app-id 填写控制台中该应用的 SDKAppID",
);
const KEY: Text = text(
    "give the SecretKey that the console shows for this app: --secret-key-file",
    "请用 --secret-key-file 提供控制台中该应用的密钥 (SecretKey)",
);
const REGION: Text = text(
    "give the region the app was created in: --region, and check --sdk-app-id",
    "请用 --region 指定应用创建时所选的地域，并核对 --sdk-app-id",
);
const SIGNATURE: Text = text(
    "give the SecretKey with --secret-key-file, or a whole UserSig in IMIMPORT_USERSIG",
    "请用 --secret-key-file 提供密钥，或在 IMIMPORT_USERSIG 中放入完整的 UserSig",
);
const ADMINISTRATOR: Text = text(
    "give an administrator of the app: --identifier (console: Account Management)",
    "请用 --identifier 填写该应用的管理员账号（控制台：账号管理）",
);
const APP_STATE: Text =
    text("look at the app's state and billing in the console", "请在控制台查看应用状态与计费情况");
const UPGRADE: Text =
    text("upgrade the app's plan in the console, then resume", "请在控制台升级应用套餐，然后续传");
const ROW: Text =
    text("mend the row in the report and import the report", "请在报告中修正该行，然后导入该报告");
const BATCH: Text = text(
    "look at the row: UserID, Nick and FaceUrl must be plain texts within their limits",
    "请检查该行：UserID、Nick、FaceUrl 须为长度合规的文本",
);
const NETWORK: Text =
    text("check the network, proxy and firewall, then resume", "请检查网络、代理与防火墙，然后续传");

const REFUSED_SIGNATURE: Text = text("the account or its signature was refused", "账号或签名未通过校验");
const NO_SUCH_APP: Text = text("this host knows no such app or key", "该接入地址上没有此应用或密钥");
const TOO_MANY: Text = text("too many requests", "请求过于频繁");
const SENSITIVE: Text = text("a text holds sensitive words", "文本包含敏感内容");

/// No code stands here twice.
#[rustfmt::skip]
pub(super) const TABLE: &[Entry] = &[
    service(0, Class::Ok, text("the service took the request", "请求成功"), NOTHING),

    // The service's own troubles.
    service(40006, Class::Transient, text("the service failed while setting the profile", "服务端设置资料时出错"), LATER),
    service(60014, Class::Transient, text("the service timed out while looking up the account", "服务端查询账号超时"), LATER),
    service(70169, Class::Transient, text("the service timed out inside", "服务端内部超时"), LATER),
    service(70202, Class::Transient, text("the service timed out inside", "服务端内部超时"), LATER),
    service(70500, Class::Transient, text("the service had an internal error", "服务端内部错误"), LATER),
    service(60004, thrice(Then::Fatal), REFUSED_SIGNATURE, SIGNATURE),
    service(60005, thrice(Then::Fatal), REFUSED_SIGNATURE, SIGNATURE),
    service(60013, thrice(Then::Fatal), text("the service could not read its own answer", "服务端解析应答失败"), LATER),
    service(60008, thrice(Then::Permanent), text("the service timed out, or found the request malformed", "服务超时或请求格式有误"), BATCH),

    // Pace.
    service(60007, Class::RateLimit, text("this call is made too often", "接口调用频率超限"), SLOWER),
    service(60011, Class::RateLimit, text("the app sends too many requests", "应用请求频率超限"), SLOWER),
    service(60018, Class::RateLimit, TOO_MANY, SLOWER),
    service(60019, Class::RateLimit, TOO_MANY, SLOWER),

    // The request's form.
    service(60002, Class::Fatal, text("the service could not read the request's address", "服务端无法解析请求地址"), REQUEST),
    service(60009, Class::Fatal, text("the service has no such call at this path", "请求的资源路径不存在"), REQUEST),
    service(60012, Class::Fatal, text("the request came without an SDKAppID", "请求缺少 SDKAppID"), REQUEST),
    service(60025, Class::Fatal, text("the service refused the request's parameters", "服务端拒绝了请求参数"), REQUEST),
    service(60026, Class::Fatal, text("host and app are of different regions", "应用与接入地域不一致"),
        text("give the region the app was created in: --region", "请用 --region 指定应用创建时所选的地域")),
    service(60027, Class::Fatal, text("the service does not accept this request here", "服务端不接受此请求"), REQUEST),

    // Credentials.
    service(60006, Class::Fatal, text("the SDKAppID is not valid", "SDKAppID 无效"), APP_ID),
    service(70001, Class::Expired, text("the UserSig has expired", "UserSig 已过期"),
        text("give the SecretKey, from which signatures are renewed: --secret-key-file; and check this machine's clock",
            "请用 --secret-key-file 提供密钥以自动续签，并检查本机时钟")),
    service(70002, Class::Fatal, text("the UserSig is empty", "UserSig 为空"), SIGNATURE),
    service(70003, Class::Fatal, text("the UserSig is malformed", "UserSig 格式错误"), SIGNATURE),
    service(70005, Class::Fatal, text("the UserSig is malformed", "UserSig 格式错误"), SIGNATURE),
    service(70009, Class::Fatal, text("the UserSig was made with another app's key", "UserSig 由其他应用的密钥生成"), KEY),
    service(70013, Class::Fatal, text("the UserSig is for another identifier", "UserSig 对应的管理员账号不符"),
        text("give the identifier that the UserSig was made for: --identifier", "请用 --identifier 填写生成 UserSig 时的账号")),
    service(70014, Class::Fatal, text("the UserSig is for another app", "UserSig 对应的应用不符"),
        text("give the app that the UserSig was made for: --sdk-app-id", "请用 --sdk-app-id 填写生成 UserSig 时的应用")),
    service(70016, Class::Fatal, NO_SUCH_APP, REGION),
    service(70020, Class::Fatal, NO_SUCH_APP, REGION),
    service(70050, Class::WaitThenFatal, text("too many signature checks have failed", "签名校验失败次数过多"),
        text("mend the credentials first (--secret-key-file, --sdk-app-id), then wait a minute", "请先更正凭证（--secret-key-file、--sdk-app-id），再等待一分钟")),
    service(70051, Class::Fatal, text("the administrator's account is blocked", "管理员账号已被封禁"), ADMINISTRATOR),
    service(70346, Class::Fatal, text("the service refused the credentials", "服务端拒绝了凭证"), SIGNATURE),

    // Permission, and the app's state.
    service(40004, Class::Fatal, text("the identifier may not do this", "该账号无权进行此操作"), ADMINISTRATOR),
    service(40008, Class::Fatal, text("the identifier may not write this part of the profile", "该账号无权写入此资料字段"), ADMINISTRATOR),
    service(60010, Class::Fatal, text("the call needs an administrator of the app", "此接口需要应用管理员权限"), ADMINISTRATOR),
    service(60016, Class::Fatal, text("the app is disabled", "应用已被停用"), APP_STATE),
    service(60017, Class::Fatal, text("this call is disabled for the app", "该应用已被禁用此接口"), APP_STATE),
    service(60020, Class::Fatal, text("the app's plan has expired, or is in arrears", "应用套餐已到期或欠费停用"),
        text("renew the plan in the console, wait five minutes, then resume", "请在控制台续费，约五分钟后续传")),
    service(60021, Class::Fatal, text("the app does not take calls from this address", "来源 IP 不在允许范围内"),
        text("add this machine's public address to the app's allow list in the console", "请在控制台将本机公网 IP 加入白名单")),
    service(70403, Class::Fatal, text("the identifier is not an administrator of the app", "该账号不是应用管理员"), ADMINISTRATOR),
    service(80005, Class::Fatal, text("content moderation is not available to the app", "应用的内容审核服务不可用"), APP_STATE),

    // Quota.
    service(70398, Class::Fatal, text("the app holds as many accounts as its plan allows", "账号数量已达套餐上限"),
        text("upgrade the plan in the console (a trial holds 100 accounts), then resume", "请在控制台升级套餐（体验版限 100 个账号），然后续传")),
    service(60028, Class::Fatal, text("a trial app has used up its calls of 24 hours", "体验版 24 小时内的调用次数已用完"),
        text("upgrade the plan in the console, or resume tomorrow", "请在控制台升级套餐，或次日续传")),
    service(72000, Class::Fatal, text("a quota of the app is used up", "应用配额已用完"), UPGRADE),
    service(72002, Class::Fatal, text("a quota of the app is used up", "应用配额已用完"), UPGRADE),

    // The batch, or an account in it.
    service(60003, Class::PermanentBatch, text("the service could not read the request's JSON", "服务端无法解析请求的 JSON"), BATCH),
    service(60015, Class::PermanentBatch, text("an account is of the wrong type", "账号类型错误"), BATCH),
    service(70206, Class::PermanentBatch, text("the number of accounts in the request is not allowed", "请求中的账号数量不合规"), BATCH),
    service(70402, Class::PermanentBatch, text("a parameter is not allowed", "参数非法"),
        text("look at the row's UserID; if every account is refused, check --secret-key-file", "请检查该行的 UserID；若全部被拒，请核对 --secret-key-file")),
    service(40001, Class::PermanentBatch, text("a parameter of the request is wrong", "请求参数错误"), BATCH),

    // One account.
    service(70399, Class::PermanentAccount, text("the account was deleted less than three months ago", "该账号在三个月内被删除过"),
        text("use another UserID, or import the account after three months", "请换用其他 UserID，或三个月后再导入")),
    service(40601, Class::PermanentAccount, text("a profile value is over 500 bytes", "资料字段超过 500 字节"), ROW),
    service(40605, Class::PermanentAccount, text("a profile value is not allowed", "资料字段的值不合规"), ROW),
    service(40610, Class::PermanentAccount, text("a profile value is of the wrong type", "资料字段的类型错误"), ROW),
    service(40005, Class::PermanentAccount, SENSITIVE, ROW),
    service(80001, Class::PermanentAccount, SENSITIVE, ROW),
    service(80004, Class::PermanentAccount, text("a picture or text is sensitive", "图片或文本包含敏感内容"), ROW),
    service(40003, Class::PermanentAccount, text("the service does not know the account", "账号不存在"),
        text("import the account first", "请先导入该账号")),

    // No answer of the service's.
    row(Code::Timeout, Class::Transient, text("no answer in time", "应答超时"),
        text("check the network, or give a longer --timeout", "请检查网络，或用 --timeout 延长等待")),
    row(Code::Connect, Class::Transient, text("no connection to the host", "无法连接到服务地址"), NETWORK),
    row(Code::Dns, Class::Transient, text("the host's name does not resolve", "域名无法解析"),
        text("check --region or --endpoint, and this machine's name servers", "请检查 --region 或 --endpoint，以及本机 DNS")),
    row(Code::Tls, Class::Transient, text("no secure connection to the host", "无法建立安全连接"),
        text("check this machine's clock and proxy; a private certificate authority goes in --ca-cert", "请检查本机时钟与代理；私有 CA 证书用 --ca-cert 指定")),
    row(Code::Reset, Class::Transient, text("the connection broke before the answer was whole", "应答未收完连接即中断"), NETWORK),
    row(Code::BadBody, Class::Transient, text("the answer is not the service's", "应答内容不是该服务的格式"),
        text("check --endpoint, and any proxy on the way that answers by itself", "请检查 --endpoint，以及途中是否有代理自行应答")),
    row(Code::FailAccounts, Class::Transient, text("the service listed the account as failed and gave no reason", "服务端将该账号列为失败，未给出原因"), ROW),
    row(Code::Http(408), Class::Transient, text("the host waited too long for the request", "服务端等待请求超时"), NETWORK),
    row(Code::Http(413), Class::PermanentBatch, text("the request is too large for the host or a proxy", "请求体超过服务端或代理的上限"), BATCH),
    row(Code::Http(429), Class::RateLimit, TOO_MANY, SLOWER),
];

/// HTTP 3xx.
pub(super) const REDIRECT: (Text, Text) = (
    text("the host points elsewhere; redirects are never followed", "服务端要求重定向；本工具从不跟随重定向"),
    REQUEST,
);
/// HTTP 4xx that the table does not have.
pub(super) const REFUSED: (Text, Text) =
    (text("the host or a proxy refused the request", "服务端或代理拒绝了请求"), REQUEST);
/// HTTP 5xx, or another status that is no answer.
pub(super) const HOST_ERROR: (Text, Text) =
    (text("the host or a proxy had an error", "服务端或代理出错"), LATER);
/// A code that the table does not have.
pub(super) const UNKNOWN: (Text, Text) = (
    text("a code that this program does not know", "本工具尚不认识的错误码"),
    text("look the code up in the vendor's list of error codes", "请查阅腾讯云即时通信 IM 的错误码文档"),
);
