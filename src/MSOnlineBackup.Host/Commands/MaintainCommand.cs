using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Agent.Retention;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Maintenance;
using MSOnlineBackup.Vaults.Protection;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Verification;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>maintain</c>.</summary>
internal sealed class MaintainCommand : HostCommand
{
    private const int MostVerifyDays = 3650;

    private readonly VaultSelection _vault;
    private readonly Option<bool> _dryRun;
    private readonly Option<bool> _expire;
    private readonly Option<string?> _maxRepackBytes;
    private readonly Option<string?> _reencryptBytes;
    private readonly Option<string?> _maxDuration;
    private readonly Option<string?> _maxUnused;
    private readonly Option<string?> _shutOutAfter;
    private readonly Option<string?> _verifyDays;
    private readonly Option<string?> _maxVerifyBytes;

    public MaintainCommand()
        : base(
            "maintain",
            "Free the space that no recovery point needs, and tidy up. Others may back up and restore meanwhile.",
            """
            obengine maintain --vault /mnt/backup --dry-run
            obengine maintain --vault /mnt/backup --max-duration 2h
            """)
    {
        _vault = new VaultSelection(this);
        _dryRun = Flag("--dry-run", "Say what would be done, and change nothing.");
        _expire = Flag("--expire", "First delete the recovery points whose time is over by their own dates, of all machines. 'obengine retention' lists them.");
        _maxRepackBytes = Value("--max-repack-bytes", "SIZE", "Write at most this much anew, to free the space around it. Default: no limit.");
        _reencryptBytes = Value("--reencrypt-bytes", "SIZE", "Seal at most this much anew that an earlier master key has sealed, after 'obengine key rotate'. Default: nothing.");
        _maxDuration = Value("--max-duration", "TIME", "Begin nothing further after this time, such as 90s, 30m, 12h or 7d. The next run goes on. Default: no limit.");
        _maxUnused = Value("--max-unused", "PERCENT", "How much of a stored pack may be unused before the rest of it is written anew, from 0 to 100. Default: 20.");
        _verifyDays = Value("--verify-days", "DAYS", "Read back a share of what is stored, so that all is read within so many days if this runs regularly; 0 reads nothing. Default: as the vault is set.");
        _maxVerifyBytes = Value("--max-verify-bytes", "SIZE", "Read back at most this much. Default: no limit.");
        _shutOutAfter = Value("--shut-out-after", "TIME", "Take a job that has said nothing to the vault for this long for dead. Default: 1d.");
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        MaintenanceRequest request = Read(context);
        using UnlockedVault vault = await _vault.UnlockAsync(context).ConfigureAwait(false);
        (int expired, long? bytesExpiring) = context.Has(_expire) ? await ExpireAsync(context, vault, request.IsRehearsal).ConfigureAwait(false) : (0, null);
        MaintenanceReport report = await context.Renderer.FollowAsync(monitor => vault.MaintainAsync(request, monitor, context.Stop)).ConfigureAwait(false);
        Findings.Write(context.Renderer, report.Findings);
        foreach (UnfinishedSession session in report.WaitingFor)
        {
            context.Renderer.Item(
                new WaitingLine(session.SessionId.ToString(), session.MachineId.ToString(), session.Started),
                line => $"WAITS FOR  session {ShortId.Of(line.SessionId)} of machine {ShortId.Of(line.MachineId)}, begun {context.LocalTime(line.Started)}, which is running, or was killed");
        }

        foreach (BackupException kept in report.Locks.Kept)
        {
            context.Renderer.Item(new KeptLine(kept.Target ?? "", kept.Message), line => $"KEPT  {line.Object}: {line.Reason}");
        }

        if (report.Locks.Obstacle is { } obstacle)
        {
            context.Renderer.Note($"The storage does not keep all that this vault is to keep immutable; the product does. {obstacle}");
        }

        foreach (DeletionBrake brake in report.Brakes)
        {
            context.Renderer.Note(
                $"{brake.Held($"machine {ShortId.Of(brake.MachineId.ToString())}")}: {brake.Cause}. Look at it; then the vault's owner releases it ('Set-OBVault -ReleaseBrake'), or it is over on {context.LocalTime(brake.Until)}.");
        }

        var summary = new MaintenanceSummary(
            report.IsRehearsal,
            expired,
            bytesExpiring,
            report.PointsGone,
            report.Packs.Deleted,
            report.Packs.BytesFreed,
            report.Packs.Condemned,
            report.Packs.BytesCondemned,
            report.Packs.Repacked,
            report.Packs.BytesRepacked,
            report.Packs.BytesUnused,
            report.Packs.BytesUnderEarlierKeys,
            report.ObjectsDeleted,
            report.Parity.BytesWritten,
            report.Parity.PacksProtected,
            report.Parity.PacksUnprotected,
            report.PacksMended,
            report.SessionsShutOut,
            report.Verified.Packs,
            report.Verified.Bytes,
            report.Verified.DamagedPacks.Count,
            report.WaitingFor.Count,
            report.Locks.Changed,
            report.Locks.Obstacle,
            report.Locks.Kept.Count,
            report.Findings.Count,
            vault.Traffic)
        {
            ExitCode = (int)(report.Findings.Count > 0 || report.Verified.DamagedPacks.Count > 0 ? ExitCode.Failed : ExitCode.Success),
        };
        if (report.Unproven is { } full)
        {
            context.Renderer.Note($"Space was freed, and what comes after that was not done: {full.Message}");
        }

        return new Outcome(summary, report.IsRehearsal ? Foresee(report, expired, bytesExpiring) : Describe(report, expired, vault));
    }

    // The dates in the tags are all that can be known here of the machines' policies.
    private static async Task<(int Points, long? Bytes)> ExpireAsync(CommandContext context, UnlockedVault vault, bool isRehearsal)
    {
        if (!isRehearsal)
        {
            await vault.RequireDeletionAsync(context.Stop).ConfigureAwait(false);
        }

        var retention = VaultRetention.ByTags(vault, context.Environment.Time);
        RetentionPlan plan = await retention.PlanAsync(null, context.Stop).ConfigureAwait(false);
        foreach (DamagedPoint damaged in plan.Damaged)
        {
            context.Renderer.Note($"A recovery point of {damaged.MachineName ?? damaged.MachineId.ToString()} cannot be read, so none of this machine is deleted: {damaged.Damage.Message}");
        }

        if (!isRehearsal)
        {
            return (await retention.ApplyAsync(plan, context.Stop).ConfigureAwait(false), null);
        }

        plan = await retention.MeasureAsync(plan, context.Stop).ConfigureAwait(false);
        if (plan.Unmeasured is { } unmeasured)
        {
            context.Renderer.Note($"How many bytes go with the points is not known: {unmeasured.Message}");
        }

        return (plan.Expiring.Count(), plan.Bytes);
    }

    private MaintenanceRequest Read(CommandContext context)
    {
        var usual = new MaintenanceRequest();
        return usual with
        {
            IsRehearsal = context.Has(_dryRun),
            MaxRepackBytes = context.Get(_maxRepackBytes) is { } size ? SelectionOptions.ParseSize(context, size) : null,
            ReencryptBytes = context.Get(_reencryptBytes) is { } anew ? SelectionOptions.ParseSize(context, anew) : 0,
            MaxDuration = context.GetDuration(_maxDuration),
            VerifyDays = context.Get(_verifyDays) is { } days ? ParseDays(context, days) : null,
            MaxVerifyBytes = context.Get(_maxVerifyBytes) is { } most ? SelectionOptions.ParseSize(context, most) : null,
            MaxUnused = context.Get(_maxUnused) is { } percent ? ParsePercent(context, percent) : usual.MaxUnused,
            ShutOutAfter = context.GetDuration(_shutOutAfter) ?? usual.ShutOutAfter,
        };
    }

    private static int ParseDays(CommandContext context, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int days) && days <= MostVerifyDays
            ? days
            : throw context.Invalid($"'{text}' is not a number of days for --verify-days.", "Write a whole number from 0 to 3650.", text);

    private static double ParsePercent(CommandContext context, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent <= 100
            ? percent / 100
            : throw context.Invalid($"'{text}' is not a percentage.", "Write a number from 0 to 100, without a sign.", text);

    private static string Describe(MaintenanceReport report, int expired, UnlockedVault vault) =>
        $"""
        points    {Quantity.Count(expired, "point")} deleted, {Quantity.Count(report.PointsGone, "point")} gone for good
        freed     {Quantity.Size(report.Packs.BytesFreed)} in {Quantity.Count(report.Packs.Deleted, "pack")}; {Quantity.Count(report.ObjectsDeleted, "other object")} tidied away
        repacked  {Quantity.Size(report.Packs.BytesRepacked)} of {Quantity.Count(report.Packs.Repacked, "pack")} written anew
        to go     {Quantity.Size(report.Packs.BytesCondemned)} in {Quantity.Count(report.Packs.Condemned, "pack")}{(report.WaitingFor.Count == 0 ? "" : $", once {Quantity.Count(report.WaitingFor.Count, "job")} ended, with a later run")}
        unused    {Quantity.Size(report.Packs.BytesUnused)} in packs that stay{EarlierKeys(report)}
        verified  {Quantity.Size(report.Verified.Bytes)} in {Quantity.Count(report.Verified.Packs, "pack")}{(report.Verified.DamagedPacks.Count == 0 ? "" : $"; {Quantity.Count(report.Verified.DamagedPacks.Count, "pack")} known to be damaged or missing")}{Parity(report)}{Locks(report)}{ShutOut(report)}{TrafficText.Line(vault.Traffic, 10)}
        result    {Verdict(report)}
        """;

    private static string Foresee(MaintenanceReport report, int expired, long? bytesExpiring) =>
        $"""
        points    {Quantity.Count(expired, "point")} would be deleted{(expired > 0 && bytesExpiring is { } bytes ? $", and {Quantity.Size(bytes)} go with them when their undelete time is over" : "")}
        would go  {Quantity.Size(report.Packs.BytesCondemned)} in {Quantity.Count(report.Packs.Condemned, "pack")}
        would be  {Quantity.Size(report.Packs.BytesRepacked)} of {Quantity.Count(report.Packs.Repacked, "pack")} written anew
        unused    {Quantity.Size(report.Packs.BytesUnused)} in packs that stay{EarlierKeys(report)}
        result    {Verdict(report)}; nothing was changed
        """;

    private static string Parity(MaintenanceReport report) => report.Parity.PacksProtected + report.Parity.PacksUnprotected == 0
        ? ""
        : $"\nparity    {Quantity.Count(report.Parity.PacksProtected, "pack")} protected; {Quantity.Size(report.Parity.BytesWritten)} written{(report.Parity.PacksUnprotected == 0 ? "" : $"; {Quantity.Count(report.Parity.PacksUnprotected, "pack")} for a later run")}";

    private static string Locks(MaintenanceReport report) => report.Locks.Changed + report.Locks.Kept.Count == 0
        ? ""
        : $"\nlocks     {Quantity.Count(report.Locks.Changed, "object")} locked, extended or unlocked{(report.Locks.Kept.Count == 0 ? "" : $"; {Quantity.Count(report.Locks.Kept.Count, "object")} to be deleted by a later run, as the storage keeps them for now")}";

    private static string EarlierKeys(MaintenanceReport report) =>
        report.Packs.BytesUnderEarlierKeys == 0 ? "" : $"\nold keys  {Quantity.Size(report.Packs.BytesUnderEarlierKeys)} in packs that earlier master keys have sealed";

    private static string ShutOut(MaintenanceReport report) =>
        report.SessionsShutOut == 0 ? "" : $"\nshut out  {Quantity.Count(report.SessionsShutOut, "job")} that said nothing for long; what each had sent stays for its next run";

    private static string Verdict(MaintenanceReport report) => report.Findings.Count == 0
        ? report.Verified.DamagedPacks.Count == 0 ? "no problems found" : "what was found damaged before still is; 'obengine verify --read-data' tells more"
        : $"{Quantity.Count(report.Findings.Count, "problem")} found; what cannot be read is not decided on. 'obengine verify --read-data' tells more";
}
