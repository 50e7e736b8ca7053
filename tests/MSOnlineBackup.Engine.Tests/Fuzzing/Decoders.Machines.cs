using System.Text;
using System.Text.Json;
using MSOnlineBackup.Agent.Health;
using MSOnlineBackup.Agent.Installation;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Agent.Machine;
using MSOnlineBackup.Agent.Mounting;
using MSOnlineBackup.Agent.Policies;
using MSOnlineBackup.Agent.Remote;
using MSOnlineBackup.Agent.Remote.Jobs;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Agent.Workloads;
using MSOnlineBackup.Agent.Workloads.MariaDb;
using MSOnlineBackup.Agent.Workloads.PostgreSql;
using MSOnlineBackup.Agent.Workloads.SqlServer;
using MSOnlineBackup.Agent.Schedules;
using MSOnlineBackup.Agent.Sinks;
using MSOnlineBackup.Agent.Watching;
using MSOnlineBackup.Engine.Sources.Rules;
using MSOnlineBackup.Engine.Tests.Jobs;
using MSOnlineBackup.Engine.Tests.Workloads;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Cryptography;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.Vaults.Keys;
using MSOnlineBackup.Vaults.Progress;

namespace MSOnlineBackup.Engine.Tests.Fuzzing;

/// <content>Of what a machine keeps and is given.</content>
internal static partial class Decoders
{
    private static readonly Guid _job = new("018e0000-0000-7000-8000-000000000001");

    private static string HashesOfModule =>
        $"{new string('0', 63)}1  MSOnlineBackup.psd1\n{new string('f', 64)}  module/bin/obengine.dll\n{new string('A', 64)} *module/MSOnlineBackup.psm1\r\n";

    private static IEnumerable<Decoder> OfMachines()
    {
        yield return new(
            "policy",
            content =>
            {
                BackupPolicy policy = PolicyJson.Read(Encoding.UTF8.GetString(content), "file");
                PolicyLimits.Open.Check(policy);
            },
            () =>
            [
                Text(PolicyJson.Write(JobsFixture.Policy(PolicyKind.Files, "/home", "/etc"))), Text(
                    PolicyJson.Write(JobsFixture.Policy(PolicyKind.SystemState))),
            ],
            typeof(PolicyJson), typeof(PolicyFileContext), typeof(TimeOfDay), typeof(PolicyPath), typeof(PolicyExclusion));
        yield return new("module-hashes", content => FileHashes.Parse(content, "list"), () => [Text(HashesOfModule)], typeof(FileHashes));
        yield return new(
            "job-order",
            content => JobOrderFile.Decode(content, "order"),
            () =>
            [
                new JobOrderFile(JobOrderFile.Current, "Open", "ALPHA", [], new BackupOrder { Only = ["/home"], RetainUntil = _time }).Encode(),
                new JobOrderFile(
                    JobOrderFile.Current, "Open", "ALPHA", ["passphrase"], new RecoveryOrder { Vault = "/vault", MachineName = "B", PointId = Id, Paths = ["/a"] }).Encode(),
            ],
            typeof(JobOrderFile), typeof(OrderJson));
        yield return new(
            "mount-order",
            content => MountOrderFile.Decode(content, "order"),
            () => [new MountOrderFile(MountOrderFile.Current, "Open", "ALPHA", new MountOrder { Vault = "/vault", MachineName = "B", PointId = Id, Folder = "/mnt" }).Encode()],
            typeof(MountOrderFile), typeof(MountJson));
        yield return new(
            "mount-record",
            content => MountRecords.Decode(content),
            () =>
            [
                JsonSerializer.SerializeToUtf8Bytes(
                    new RecoveryMount { Id = _job, Folder = "/mnt", VaultLocation = "/vault", PointId = Id, ProcessId = 7, Started = _time, LastUsed = _time, LastTrouble = "a: b" },
                    MountJson.Default.RecoveryMount),
            ],
            typeof(MountRecords));
        yield return new(
            "mount-failure",
            content => MountFailure.Decode(content),
            () => [MountFailure.Encode(new BackupException(BackupErrorId.MountFailed, "It failed.", "Again.", "/mnt"))],
            typeof(MountFailure));
        yield return new(
            "job-record",
            InState($"jobs/{_job}/job.json", folder => new JobHistory(folder, TimeProvider.System).Read(_job)),
            () =>
            [
                JsonSerializer.SerializeToUtf8Bytes(
                    new JobFile(1, new JobRecord
                    {
                        Id = _job, Kind = JobKind.Backup, State = JobState.Failed, Started = _time, Ended = _time, Heartbeat = _time, ProcessId = 1, Error = new JobError("JobLost", null, "Lost", "Again", null),
                    }),
                    JobJson.Default.JobFile),
            ],
            typeof(JobHistory), typeof(JobJson));
        yield return new(
            "job-skipped",
            content =>
            {
                foreach (string line in Encoding.UTF8.GetString(content).Split('\n'))
                {
                    SkippedList.TryParse(line);
                }
            },
            () => [SkippedLines()],
            typeof(SkippedList));
        yield return new(
            "job-log",
            content =>
            {
                foreach (string line in Encoding.UTF8.GetString(content).Split('\n'))
                {
                    JobLogEntry.TryParse(line);
                }

                JsonLines.Read(content);
            },
            () =>
            [
                new JobLogEntry
                {
                    Time = _time, Level = JobLogLevel.Info, Event = JobLogEvent.Started, Message = "It began.", Settings = new Dictionary<string, string> { ["vault"] = "/vault" },
                }.Encode(),
                new JobLogEntry
                {
                    Time = _time, Level = JobLogLevel.Error, Event = JobLogEvent.Ended, Message = "It failed.", Id = "VaultFull", Path = "/vault", Action = "Make room.",
                    Figures = new Dictionary<string, long> { ["files"] = 3 },
                }.Encode(),
            ],
            typeof(JobLogEntry), typeof(JobLogJson), typeof(JsonLines));
        yield return new(
            "machine-state",
            InState("machine.json", folder => MachineAccount.ReadRegistration(folder)),
            () =>
            [
                Text($$"""
                    {"version":1,"content":{"registration":{"vaultId":"{{Id}}","vaultLocation":"/vault","vaultName":"Office","machineName":"ALPHA",
                    "registered":"2024-02-29T12:00:00+00:00","credentialSerial":1,"owner":"AAAA"},
                    "activation":{"storeId":"{{Id}}","keyId":"{{Id}}","since":"2024-02-29T12:00:00+00:00","masterKeyDigest":"AAAA"} } }
                    """),
            ],
            typeof(StateFile<>), typeof(StateJson));
        yield return new(
            "settings",
            InState("settings.json", folder => new SettingsStore(folder, Secret(folder), PolicyLimits.Open).Read()),
            () => [Text("""{"version":1,"content":{"proxy":{"server":"http://proxy","port":8080,"bypass":"*.local"},"isDirect":false}}""")],
            typeof(SettingsStore));
        yield return new(
            "owners",
            InState("owners.json", folder => new OwnerKeys(folder, Secret(folder)).Find(Id)),
            () => [Text("""{"version":1,"content":{"owners":[{"vaultId":"0","publicKey":"AAAA","wrapped":"AAAA"}]}}""")],
            typeof(OwnerKeys));
        yield return new(
            "machine-secret",
            InState("secret.json", folder => Secret(folder).DeriveKey("tests")),
            () => [Text("""{"version":1,"content":{"secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}""")],
            typeof(MachineSecret));
        yield return new(
            "recovery-services",
            InState(RecoveryService.FileName, folder => RecoveryService.Read(folder)),
            () => [Text("""[ { "certificate": "0123456789ABCDEF0123456789ABCDEF01234567", "vaultCredentials": "a.VaultCredentials" } ]""")],
            typeof(RecoveryService), typeof(RecoveryServiceJson));
        yield return new(
            "schedule-state",
            InState("schedule-files.json", folder => new ScheduleLedger(folder).Read(new BackupPolicy(), _time, TimeZoneInfo.Utc)),
            () => [Text("""{"version":1,"content":{"schedule":"00ff","handled":"2024-02-29T12:00:00+00:00"}}""")],
            typeof(ScheduleJson));
        yield return new(
            "alarm-settings",
            content => AlarmSettings.Parse(content, "file"),
            () => [Text("""{"sinks":[{"kind":"Mail","name":"m","server":"s","from":"f@example.com","to":["t@example.com"]},{"kind":"Webhook","name":"w","url":"https://example.com/","format":"Teams"}],"repeatHours":3}""")],
            typeof(AlarmSettings), typeof(AlarmSettingsJson), typeof(AlarmSettingsStore));
        yield return new(
            "watch-memory",
            InState($"watch-{ShortDigest.Of("/vault")}.json", folder => AlarmDesk.FileOf(folder, "/vault").Read()),
            () => [Text("""{"version":1,"content":{"sinks":{"m":{"alarms":{"vault":{"name":"v","code":"Late","at":"2024-02-29T12:00:00+00:00"}},"reported":{},"alive":null}},"failing":{"m":"why"}}}""")],
            typeof(WatchJson));
        yield return new(
            "remote-agent",
            InState(Path.Combine("agents", "web1", "agent.json"), folder => new RemoteAgentRecords(folder).Find("web1")),
            () =>
            [
                Text("""
                    {"version":1,"content":{"machine":{"hostName":"web1","userName":"backup","port":22},"state":"Current","hostKey":"ED25519 SHA256:x","platform":"linux-x64",
                    "version":"1.0.0","build":"1.0.0-0123456789ab","lastSeen":"2024-02-29T12:00:00+00:00","pendingMayBeOlder":false} }
                    """),
            ],
            typeof(RemoteAgentJson), typeof(RemoteAgentRecords));
        yield return new(
            "remote-answer",
            content => RemoteFacts.Read(ScriptAnswer.Read(Encoding.UTF8.GetString(content), "mark") ?? ScriptAnswer.Read("mark\n", "mark")!),
            () => [Text("Welcome\nmark\nsystem=Linux\nmachine=x86_64\nmissing=tar\nfree=1000\nhas=1.0.0-0123456789ab\nprogram=/home/a/obengine\ncurrent=1.0.0-0123456789ab\nversion=1.0.0\nend\n")],
            typeof(ScriptAnswer), typeof(RemoteFacts));
        yield return new("remote-hello", content => RemoteHello.Decode(content), () => [RemoteHello.Own.Encode()], typeof(RemoteHello), typeof(RemoteJobJson));
        yield return new(
            "remote-order",
            content => RemoteOrderMessage.Decode(content),
            () =>
            [
                new RemoteOrderMessage(Id, Id, "/vault", 4 << 20, "WEB1", ["/srv", "/etc"], "Open")
                {
                    Allowed = [SourceKind.Network], Exclude = ["*.tmp"], ExcludeLargerThan = 5, Tags = ["nightly"], VerifyOneIn = 16, ScriptFile = "/etc/scripts.json",
                }.Encode(new UnlockedKey(_store, Id, new byte[StoreKeys.MasterKeyLength])),
            ],
            typeof(RemoteOrderMessage));
        yield return new(
            "remote-notice",
            content => RemoteNotice.Decode(content),
            () =>
            [
                new RemoteNotice
                {
                    Progress = new JobProgress(JobPhase.Transferring, 1, 2, 3, 4, 5, 6, 7, 8, null, "/srv/a"),
                    Sayings = [RemoteSaying.Of(RemoteSayingKind.Lost, new BackupException(BackupErrorId.SourceNotFound, "It is gone.", "Look.", "/srv")), new RemoteSaying(RemoteSayingKind.Note, "A note.")],
                }.Encode(),
                new RemoteNotice { End = new RemoteEnding { Point = SessionId.Parse("0193a000000070008000000000000001"), NewFiles = 3, WasResumed = true } }.Encode(),
            ],
            typeof(RemoteNotice),
            typeof(RemoteSaying));
        yield return new(
            "known-hosts",
            content => _ = HostKey.Find(Encoding.UTF8.GetString(content))?.Fingerprint,
            () => [Text("# known\nweb1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtrj1X0wYYqfYX4eKM3tT9VrNtJxrl+QuP1OPUu82dU root@web1\n")],
            typeof(HostKey));
        yield return new(
            "agent-package",
            content => AgentPackage.Describe("folder", content),
            () => [Text("""{"runtimeTarget":{"name":".NETCoreApp,Version=v10.0/linux-x64"},"targets":{"x":{"a/1.0.0":{"runtime":{"lib/net10.0/a.dll":{}},"native":{"b.so":{}}}}},"libraries":{"obengine/1.0.0":{"type":"project"}}}""")],
            typeof(AgentPackage));
        yield return new(
            "key-file",
            content => KeyFile.Decode(new byte[32], Id, _machine, content, "file"),
            () => [KeyFile.Encode(new byte[32], Id, _machine, new UnlockedKey(_store, Id, new byte[StoreKeys.MasterKeyLength]))],
            typeof(KeyFile));
        yield return new(
            "retention-tag",
            content => _ = RetentionTag.TryParse(Encoding.UTF8.GetString(content), out _),
            () => [Text("retain:files:weekly:2027-02-20T21:00:00Z")],
            typeof(RetentionTag));
        yield return new(
            "workload-tag",
            content => _ = WorkloadPoint.TryParse(Encoding.UTF8.GetString(content), out _),
            () => [Text("""workload-log:{"name":"pg1","kind":"PostgreSql","stream":"7/1/0/2000000/8de","system":"7","timeline":"1","layout":"0f","start":"0/2000000","end":"0/3000000","from":"2026-11-30T12:00:00+00:00","to":"2026-11-30T12:15:00.123456+00:00","previous":"0193a0000000700080000000000000aa"}""")],
            typeof(WorkloadPoint),
            typeof(WorkloadPointJson));
        yield return new(
            "log-position",
            content => _ = PgPosition.TryParse(Encoding.UTF8.GetString(content), out _),
            () => [Text("16/B374D848")],
            typeof(PgPosition));
        yield return new(
            "binlog-position",
            content =>
            {
                _ = MariaPosition.TryParse(Encoding.UTF8.GetString(content), out _);
                _ = MariaPlace.TryParse(Encoding.UTF8.GetString(content), out _);
            },
            () => [Text("mysql-bin.000008 6b0dd16844136fa3"), Text("mysql-bin.000008:605")],
            typeof(MariaPosition),
            typeof(MariaPlace));
        yield return new(
            "binlog-file",
            content =>
            {
                _ = BinlogFile.Read(new MemoryStream(content));
                _ = BinlogFile.FindTransactionAt(new MemoryStream(content), BinlogFile.FirstEvent, 1);
            },
            () => [BinlogSample.Begin(1).Commit(2).RotateTo("b.000002", 3).ToArray()],
            typeof(BinlogFile));
        yield return new(
            "mariadb-server",
            content => _ = MariaFacts.Read(content),
            () => [new MariaFacts("10.11", 108, 113, new Dictionary<string, string> { ["old_mode"] = "UTF8_IS_UTF8MB3" }).Write()],
            typeof(MariaFacts),
            typeof(MariaFactsJson));
        yield return new(
            "sqlcmd-answer",
            content =>
            {
                _ = SqlAnswer.TryReadInstance(Encoding.UTF8.GetString(content), out _);
                _ = SqlAnswer.TryReadBackup(Encoding.UTF8.GetString(content), out _);
            },
            () =>
            [
                Text("R|S|16.0.4105.2|730071006C003100|2026-11-30T12:00:00.1234567|60\nR|D|6100700070003100|5|0|1|3f2504e0-4f89-11d3-9a0c-0305e82c3301|37000000043200001\nR|D|6D00|1|0|3||\nR|E\n"),
                Text("R|B|37000000043200001|37000000048000001|3f2504e0-4f89-11d3-9a0c-0305e82c3301\nR|F|6100|D\nR|F|62006C00|L\nR|E\n"),
            ],
            typeof(SqlAnswer));
        yield return new(
            "sqlserver-manifest",
            content => _ = SqlManifest.Read(content),
            () => [new SqlManifest("a", "b", 60, [new SqlPart("app", "d5-0123456789abcdef.bak", 1, 2, "f", false, true, [new SqlFile("app", "D")])]).Write()],
            typeof(SqlManifest),
            typeof(SqlManifestJson));
    }

    private static MachineSecret Secret(StateFolder folder) => new(folder, ISecretProtection.Current);

    private static Action<byte[]> InState(string file, Action<StateFolder> read) => content =>
    {
        using var folder = new TempFolder();
        string path = folder[file];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        read(new StateFolder(folder.Path));
    };

    private static Action<byte[]> InFile(Action<string> read) => content =>
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["file"], content);
        read(folder["file"]);
    };
}
