using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MSOnlineBackup.Agent.Jobs;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Tests;

public sealed class JsonSchemaTests
{
    // The headings under which docs/cli.md describes each line; of a shared summary all of its commands.
    private static readonly Dictionary<Type, string[]> _headings = new()
    {
        [typeof(ProgressLine)] = ["progress"],
        [typeof(NoteLine)] = ["note"],
        [typeof(SkippedLine)] = ["skipped"],
        [typeof(PointLine)] = ["point"],
        [typeof(ItemLine)] = ["item"],
        [typeof(DiskLine)] = ["disk"],
        [typeof(DiskPartLine)] = ["diskPart"],
        [typeof(VersionLine)] = ["version"],
        [typeof(CatSummary)] = ["cat", "image cat"],
        [typeof(UploadSummary)] = ["image upload"],
        [typeof(CopySummary)] = ["vault copy", "seed import"],
        [typeof(ChangeLine)] = ["change"],
        [typeof(FolderLine)] = ["folder"],
        [typeof(DiffSummary)] = ["diff"],
        [typeof(PreviewLine)] = ["preview"],
        [typeof(FindingLine)] = ["finding"],
        [typeof(UnfinishedLine)] = ["unfinished"],
        [typeof(ProtectionLine)] = ["protection"],
        [typeof(AlarmLine)] = ["alarm"],
        [typeof(ComplianceLine)] = ["compliance"],
        [typeof(AgentLine)] = ["agent"],
        [typeof(AgentSummary)] = ["agent install", "agent list", "agent update", "agent rollback", "agent remove"],
        [typeof(RemoteBackupLine)] = ["remoteBackup"],
        [typeof(RemoteBackupSummary)] = ["agent backup"],
        [typeof(GroupLine)] = ["group"],
        [typeof(GroupMachineLine)] = ["groupMachine"],
        [typeof(GroupSummary)] = ["group create", "group change", "group remove"],
        [typeof(GroupBackupSummary)] = ["group backup"],
        [typeof(DiskVaultLine)] = ["diskVault"],
        [typeof(ServerSyncSummary)] = ["server sync"],
        [typeof(FleetLine)] = ["fleetMachine"],
        [typeof(FleetSummary)] = ["fleet"],
        [typeof(SinkLine)] = ["sink"],
        [typeof(WatchSummary)] = ["watch"],
        [typeof(MonitoringCredentialSummary)] = ["vault monitoring-credential"],
        [typeof(RetentionLine)] = ["retention"],
        [typeof(WaitingLine)] = ["waiting"],
        [typeof(KeptLine)] = ["kept"],
        [typeof(UnknownLine)] = ["unknown"],
        [typeof(LocalPointLine)] = ["localPoint"],
        [typeof(DamagedPointLine)] = ["damagedPoint"],
        [typeof(DeletedPointLine)] = ["deletedPoint"],
        [typeof(KeyLine)] = ["key"],
        [typeof(MachineLine)] = ["machine"],
        [typeof(StepLine)] = ["step"],
        [typeof(DifferenceLine)] = ["difference"],
        [typeof(ErrorLine)] = ["error"],
        [typeof(VaultSummary)] = ["vault create", "vault info", "vault settings", "seed create"],
        [typeof(RehydrationSummary)] = ["vault rehydrate"],
        [typeof(BackupSummary)] = ["backup", "image backup"],
        [typeof(PreviewSummary)] = ["backup --dry-run"],
        [typeof(ListSummary)] = ["points", "points delete", "points deleted", "points undelete", "snapshots list", "snapshots remove", "skipped", "ls", "find", "find --all-points", "diff --by-folder", "key list", "machine list", "vault alarms", "vault protection", "job log", "schedule install", "schedule show", "schedule remove", "alarm set", "alarm show", "alarm test", "alarm remove", "mounts", "group list", "image ls"],
        [typeof(MountLine)] = ["mount"],
        [typeof(MountSummary)] = ["mount", "mount run", "unmount"],
        [typeof(RestorePlanSummary)] = ["restore --dry-run"],
        [typeof(RestoreSummary)] = ["restore", "image restore"],
        [typeof(MachineRestoreSummary)] = ["image restore-machine", "image restore-disk", "image replace-disk"],
        [typeof(VerifySummary)] = ["verify"],
        [typeof(MachineProofLine)] = ["machineProof"],
        [typeof(ProofSummary)] = ["vault proof"],
        [typeof(TrialSummary)] = ["verify --trial-restore"],
        [typeof(ShareSummary)] = ["verify --share"],
        [typeof(RetentionSummary)] = ["retention"],
        [typeof(CapacitySummary)] = ["capacity"],
        [typeof(ReportSummary)] = ["report"],
        [typeof(MaintenanceSummary)] = ["maintain"],
        [typeof(RepairedLine)] = ["repaired"],
        [typeof(DataRepairSummary)] = ["repair data"],
        [typeof(RepairSummary)] = ["repair index"],
        [typeof(HeaderRepairSummary)] = ["repair header"],
        [typeof(KeySummary)] = ["key add", "key change", "key rotate", "key remove"],
        [typeof(MachineSummary)] = ["machine rename"],
        [typeof(ConsentSummary)] = ["owner pin", "approver approve"],
        [typeof(ApproverSummary)] = ["approver new"],
        [typeof(DrillSummary)] = ["drill"],
        [typeof(JobSummary)] = ["job run"],
        [typeof(JobLogLine)] = ["log"],
        [typeof(ScheduleLine)] = ["schedule"],
        [typeof(HealthLine)] = ["health"],
        [typeof(ServingLine)] = ["serving"],
        [typeof(ServeSummary)] = ["serve webdav", "serve nbd", "serve store", "serve backup", "serve thaw"],
        [typeof(RunningMachineLine)] = ["runningMachine"],
        [typeof(InstantSummary)] = ["image start"],
        [typeof(DiagnosticSummary)] = ["diagnostic export"],
        [typeof(HealthSummary)] = ["health"],
        [typeof(UpdateSummary)] = ["update"],
        [typeof(ScheduleRunSummary)] = ["schedule run"],
    };

    public static TheoryData<Type> Documents { get; } =
        [.. typeof(Document).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Document)) && !type.IsAbstract)];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_line_has_the_documented_fields(Type document)
    {
        JsonTypeInfo type = DocumentJson.Lines.GetTypeInfo(document)!;
        IEnumerable<string> fields = type.Properties.Select(property => property.Name).Order();

        foreach (string heading in _headings[document])
        {
            IReadOnlyList<string> documented = document.IsSubclassOf(typeof(Summary)) ? CliDocument.SummaryFields(heading) : CliDocument.Fields(heading);
            Assert.Equal(documented.Order(), fields);
        }
    }

    [Fact]
    public void A_line_begins_with_its_type_and_a_summary_goes_on_with_its_command_and_exit_code()
    {
        string line = DocumentJson.Write(new ListSummary("points", 3) { ExitCode = 0, DurationSeconds = 0.25 });

        Assert.Equal("""{"type":"summary","command":"points","exitCode":0,"durationSeconds":0.25,"count":3}""", line);
    }

    [Fact]
    public void What_the_vault_was_asked_is_an_object_or_null()
    {
        var asked = new JobSummary(Guid.Empty, JobKind.Backup, JobState.Completed, null, 0, 0, 0, new VaultTraffic(1, 2, 3, 4, 5, 6));

        Assert.EndsWith("""
            "traffic":{"writes":1,"lists":2,"reads":3,"others":4,"sentBytes":5,"fetchedBytes":6}}
            """, DocumentJson.Write(asked), StringComparison.Ordinal);
        Assert.EndsWith("\"traffic\":null}", DocumentJson.Write(asked with { Traffic = null }), StringComparison.Ordinal);
    }

    [Fact]
    public void Times_are_UTC_with_milliseconds()
    {
        string line = DocumentJson.Write(new KeyLine("a", null, "passphrase", new DateTimeOffset(2024, 5, 6, 7, 8, 9, 10, TimeSpan.FromHours(2)), true, null, "argon2id", 0, false));

        Assert.Equal("""{"type":"key","id":"a","label":null,"kind":"passphrase","created":"2024-05-06T05:08:09.010Z","isCurrent":true,"keyVaultKey":null,"kdf":"argon2id","epoch":0,"isOutdated":false}""", line);
    }

    [Theory]
    [InlineData(16_299_260_423, 5, "2486-07-02T20:20:23.000000005Z")]
    [InlineData(-377_705_116_800, 0, "-9999-01-01T00:00:00.000000000Z")]
    [InlineData(884_541_340_799, 999_999_999, "+29999-12-31T23:59:59.999999999Z")]
    public void Times_of_items_are_exact_whatever_their_year(long seconds, int nanoseconds, string text)
    {
        var item = new ItemLine("p", "/f", EntryKind.File, 0, new ItemTime(seconds, nanoseconds), "644", 0, 0, 1, null, [], null);

        Assert.Contains($"\"modified\":\"{text}\"", DocumentJson.Write(item));
    }

    [Fact]
    public void Names_beyond_ASCII_stay_readable_and_kinds_are_words()
    {
        string line = DocumentJson.Write(new SkippedLine("/home/ä\\x01 <b>", BackupErrorId.SourceItemUnreadable, "no"));

        Assert.Equal("""{"type":"skipped","path":"/home/ä\\x01 <b>","id":"SourceItemUnreadable","reason":"no"}""", line);
        Assert.Contains("\"kind\":\"SymbolicLink\"", DocumentJson.Write(
            new ItemLine("p", "/l", EntryKind.SymbolicLink, 0, new ItemTime(0), "777", 0, 0, 1, "t", [], null)));
    }

    [Fact]
    public void Every_line_is_one_JSON_object()
    {
        string line = DocumentJson.Write(new NoteLine("two\nlines \u2028 and \"quotes\""));

        Assert.DoesNotContain('\n', line);
        using JsonDocument read = JsonDocument.Parse(line);
        Assert.Equal("two\nlines \u2028 and \"quotes\"", read.RootElement.GetProperty("message").GetString());
    }
}
