using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MSOnlineBackup.Platform.Items;

namespace MSOnlineBackup.Host.Documents;

/// <summary>Documents as JSON, without reflection.</summary>
[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(ProgressLine))]
[JsonSerializable(typeof(MountLine))]
[JsonSerializable(typeof(SkippedLine))]
[JsonSerializable(typeof(NoteLine))]
[JsonSerializable(typeof(ErrorLine))]
[JsonSerializable(typeof(PointLine))]
[JsonSerializable(typeof(LocalPointLine))]
[JsonSerializable(typeof(ItemLine))]
[JsonSerializable(typeof(DiskLine))]
[JsonSerializable(typeof(DiskPartLine))]
[JsonSerializable(typeof(VersionLine))]
[JsonSerializable(typeof(ChangeLine))]
[JsonSerializable(typeof(FolderLine))]
[JsonSerializable(typeof(PreviewLine))]
[JsonSerializable(typeof(FindingLine))]
[JsonSerializable(typeof(UnfinishedLine))]
[JsonSerializable(typeof(WaitingLine))]
[JsonSerializable(typeof(KeptLine))]
[JsonSerializable(typeof(RetentionLine))]
[JsonSerializable(typeof(ProtectionLine))]
[JsonSerializable(typeof(UnknownLine))]
[JsonSerializable(typeof(DamagedPointLine))]
[JsonSerializable(typeof(DeletedPointLine))]
[JsonSerializable(typeof(KeyLine))]
[JsonSerializable(typeof(MachineLine))]
[JsonSerializable(typeof(StepLine))]
[JsonSerializable(typeof(DifferenceLine))]
[JsonSerializable(typeof(VaultSummary))]
[JsonSerializable(typeof(CatSummary))]
[JsonSerializable(typeof(UploadSummary))]
[JsonSerializable(typeof(CopySummary))]
[JsonSerializable(typeof(DiffSummary))]
[JsonSerializable(typeof(RehydrationSummary))]
[JsonSerializable(typeof(BackupSummary))]
[JsonSerializable(typeof(PreviewSummary))]
[JsonSerializable(typeof(ListSummary))]
[JsonSerializable(typeof(MountSummary))]
[JsonSerializable(typeof(RestorePlanSummary))]
[JsonSerializable(typeof(RestoreSummary))]
[JsonSerializable(typeof(MachineRestoreSummary))]
[JsonSerializable(typeof(VerifySummary))]
[JsonSerializable(typeof(ShareSummary))]
[JsonSerializable(typeof(TrialSummary))]
[JsonSerializable(typeof(MachineProofLine))]
[JsonSerializable(typeof(AlarmLine))]
[JsonSerializable(typeof(SinkLine))]
[JsonSerializable(typeof(ComplianceLine))]
[JsonSerializable(typeof(AgentLine))]
[JsonSerializable(typeof(AgentSummary))]
[JsonSerializable(typeof(RemoteBackupLine))]
[JsonSerializable(typeof(RemoteBackupSummary))]
[JsonSerializable(typeof(GroupLine))]
[JsonSerializable(typeof(GroupMachineLine))]
[JsonSerializable(typeof(GroupSummary))]
[JsonSerializable(typeof(GroupBackupSummary))]
[JsonSerializable(typeof(DiskVaultLine))]
[JsonSerializable(typeof(ServerSyncSummary))]
[JsonSerializable(typeof(FleetLine))]
[JsonSerializable(typeof(FleetSummary))]
[JsonSerializable(typeof(WatchSummary))]
[JsonSerializable(typeof(MonitoringCredentialSummary))]
[JsonSerializable(typeof(ProofSummary))]
[JsonSerializable(typeof(RetentionSummary))]
[JsonSerializable(typeof(CapacitySummary))]
[JsonSerializable(typeof(ReportSummary))]
[JsonSerializable(typeof(MaintenanceSummary))]
[JsonSerializable(typeof(RepairedLine))]
[JsonSerializable(typeof(DataRepairSummary))]
[JsonSerializable(typeof(RepairSummary))]
[JsonSerializable(typeof(HeaderRepairSummary))]
[JsonSerializable(typeof(KeySummary))]
[JsonSerializable(typeof(MachineSummary))]
[JsonSerializable(typeof(ConsentSummary))]
[JsonSerializable(typeof(ApproverSummary))]
[JsonSerializable(typeof(DrillSummary))]
[JsonSerializable(typeof(JobSummary))]
[JsonSerializable(typeof(JobLogLine))]
[JsonSerializable(typeof(ScheduleLine))]
[JsonSerializable(typeof(HealthLine))]
[JsonSerializable(typeof(DiagnosticSummary))]
[JsonSerializable(typeof(ServingLine))]
[JsonSerializable(typeof(ServeSummary))]
[JsonSerializable(typeof(RunningMachineLine))]
[JsonSerializable(typeof(InstantSummary))]
[JsonSerializable(typeof(HealthSummary))]
[JsonSerializable(typeof(UpdateSummary))]
[JsonSerializable(typeof(ScheduleRunSummary))]
internal sealed partial class DocumentJson : JsonSerializerContext
{
    /// <summary>One line, paths readable: no HTML page will ever hold it.</summary>
    public static DocumentJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new UtcTimeConverter(), new ItemTimeConverter() },
    });

    /// <summary>The document as one line of JSON.</summary>
    public static string Write(Document document) => JsonSerializer.Serialize(document, document.GetType(), Lines);

    private sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
    }

    // Exact, and no year is too far.
    private sealed class ItemTimeConverter : JsonConverter<ItemTime>
    {
        public override ItemTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Documents are only written.");

        public override void Write(Utf8JsonWriter writer, ItemTime value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
