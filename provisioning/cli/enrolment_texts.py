"""What `lamppost enrol` and `lamppost decommission` say, in English and Chinese."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

from __future__ import annotations

from typing import Final

from lamppost.provisioning import words

TEXTS: Final = {
    "enrol.label": ("Label of the box (QR code), not shown", "设备标签内容（二维码，不回显）"),
    "enrol.password": ("Password on the label, not shown", "标签上的密码（不回显）"),
    "enrol.again": ("an issued certificate waits: going on with it", "已有签发的证书待启用：继续处理"),
    "enrol.wait": (
        "the office has not decided yet; asking again in {seconds:.0f} s",
        "审批中，{seconds:.0f} 秒后重试",
    ),
    "enrol.tried": ("tried at {where}: taken", "已在 {where} 试用：被接受"),
    "enrol.untried": ("not tried: {why}", "未试用：{why}"),
    "enrol.no-hub": ("no hub with mqtts:// is configured", "未配置 mqtts:// 平台"),
    "enrol.no-trial": ("--no-trial", "--no-trial"),
    "enrol.done": (
        "{node} is enrolled: {subject}, until {ends}; renewed from {due} on",
        "{node} 已注册：{subject}，有效期至 {ends}；自 {due} 起续期",
    ),
    "enrol.backup": ("{file} names it now; the old file is {backup}", "{file} 已更新；旧文件为 {backup}"),
    "enrol.agent.told": ("the agent takes it with its next connection", "代理将在下次连接时使用"),
    "enrol.agent.none": ("the agent takes it when it starts", "代理启动后使用"),
    "enrol.agent.may-not": (
        "let the agent take it: systemctl reload lamppost",
        "请执行 systemctl reload lamppost 使其生效",
    ),
    "enrol.request": (
        "{file}: the request of {node}; bring back the certificate: lamppost enrol --certificate FILE",
        "{file}：{node} 的证书请求；带回证书后执行 lamppost enrol --certificate FILE",
    ),
    "enrol.not-due": (
        "not due: renewed from {due} on, valid until {ends}",
        "未到续期时间：自 {due} 起续期，有效期至 {ends}",
    ),
    "state.none": ("no certificate, and none asked for", "没有证书，也未申请"),
    "state.pending": ("a certificate was asked for; none has come yet", "已申请证书，尚未收到"),
    "state.issued": ("a certificate was issued, but is not in use yet", "证书已签发，尚未启用"),
    "state.enrolled": ("{subject}, until {ends}", "{subject}，有效期至 {ends}"),
    "state.due": ("{subject}, until {ends}; due for renewal", "{subject}，有效期至 {ends}；应续期"),
    "state.expired": ("{subject}, expired on {ends}", "{subject}，已于 {ends} 过期"),
    "decommission.ask": (
        "This wipes keys, certificates, spool and evidence of this box. Type its id ({node}) to go on",
        "将清除本机的密钥、证书、待发数据和证据图片。请输入节点编号（{node}）确认",
    ),
    "decommission.no": ("that is not its id: nothing was wiped", "编号不符：未清除任何内容"),
    "decommission.runs": (
        "the agent runs and would go on writing; stop it first: systemctl stop lamppost",
        "代理正在运行，请先停止：systemctl stop lamppost",
    ),
    "decommission.done": (
        "{node}: wiped {keys} files of keys and certificates, {spool} of the spool, {evidence} of evidence",
        "{node}：已清除密钥与证书 {keys} 个文件、待发数据 {spool} 个、证据 {evidence} 个",
    ),
    "decommission.flash": (
        "a card keeps old blocks beyond any program: have the certificate revoked, or destroy the card",
        "存储卡可能保留旧数据块：请同时在发证机构吊销证书，必要时销毁存储卡",
    ),
    "decommission.left": ("not wiped: {path}", "未清除：{path}"),
}
words.add(TEXTS)
