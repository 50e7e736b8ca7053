using System.CommandLine;
using MSOnlineBackup.Engine;
using MSOnlineBackup.Engine.Restore;
using MSOnlineBackup.Engine.Snapshots;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>restore</c>.</summary>
internal sealed class RestoreCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly Argument<string[]> _paths;
    private readonly VaultSelection _vault;
    private readonly Option<string> _to;
    private readonly Option<RestoreConflict> _conflict;
    private readonly Option<bool> _dryRun;
    private readonly Option<bool> _mapNames;
    private readonly Option<bool> _verify;
    private readonly Option<RestoreFrom> _from;

    public RestoreCommand()
        : base(
            "restore",
            "Restore a recovery point, or part of it, into a folder.",
            "obengine restore latest /home/anna/Documents --vault /mnt/backup --to /tmp/restored")
    {
        _point = new PointSelection(this);
        _paths = Many("PATH", "Full paths of folders and files, as they were backed up. Default: everything.", ArgumentArity.ZeroOrMore);
        _vault = new VaultSelection(this);
        _to = new Option<string>("--to") { HelpName = "DIR", Required = true, Description = "The folder to restore into; /home/a becomes DIR/home/a." };
        _conflict = Choice(
            "--conflict",
            "What to do if an item exists and differs: leave it, overwrite it, or restore a copy beside it.",
            RestoreConflict.Skip);
        Add(_to);
        _dryRun = Flag("--dry-run", "Show what would be restored, and write nothing.", "-n");
        _mapNames = Flag("--map-names", "Restore names that Windows does not allow under names that it does: a:b as a：b. The mapping can be reversed.");
        _verify = Flag("--verify", "Read every restored file again, and compare it with the recovery point and each chunk with its name.");
        _from = Choice(
            "--from",
            "Where the data come from: the vault; local snapshots, which need neither the vault nor a passphrase; or auto, which takes local ones where the vault cannot be reached.",
            RestoreFrom.Auto);
    }

    public override bool IsJob => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        RestoreFrom from = context.Parsed.GetValue(_from);
        if (from == RestoreFrom.Local)
        {
            return context.Has(_dryRun)
                ? throw context.Invalid("--dry-run foresees restores from the vault only.", "Leave out --dry-run, or '--from local'.")
                : await RestoreAsync(context, await FindLocalAsync(context).ConfigureAwait(false) ?? throw NoLocal(context)).ConfigureAwait(false);
        }

        UnlockedVault vault;
        try
        {
            vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        }
        catch (BackupException e) when (from == RestoreFrom.Auto && !context.Has(_dryRun) && LocalRestore.StandsIn(e))
        {
            if (await FindLocalAsync(context).ConfigureAwait(false) is not { } local)
            {
                throw;
            }

            context.Renderer.Note($"The vault cannot be reached: {e.Message}");
            return await RestoreAsync(context, local).ConfigureAwait(false);
        }

        using (vault)
        {
            return await RestoreAsync(context, vault).ConfigureAwait(false);
        }
    }

    private async Task<LocalPoint?> FindLocalAsync(CommandContext context) =>
        _point.FindLocal(context, await LocalPointSelection.ListAsync(context).ConfigureAwait(false));

    private BackupException NoLocal(CommandContext context) => new(
        BackupErrorId.RecoveryPointNotFound,
        $"This machine has no local snapshots of a point '{_point.Named(context)}'.",
        "'obengine snapshots list' shows which there are. Leave out '--from local' to restore from the vault.",
        _point.Named(context));

    private RestoreRequest Request(CommandContext context, RecoveryPoint point) => new()
    {
        Point = point,
        Paths = context.Get(_paths),
        TargetFolder = context.Parsed.GetRequiredValue(_to),
        Conflict = context.Parsed.GetValue(_conflict),
        MapNames = context.Has(_mapNames),
        Verify = context.Has(_verify),
    };

    private async Task<Outcome> RestoreAsync(CommandContext context, LocalPoint local)
    {
        RestoreRequest request = Request(context, local.Point);
        RestoreResult result = await context.Renderer.FollowAsync(monitor =>
            LocalRestore.RestoreAsync(local, request, monitor, context.VaultOptions, context.Stop)).ConfigureAwait(false);
        return Describe(request, result, traffic: null, RestoreFrom.Local);
    }

    private async Task<Outcome> RestoreAsync(CommandContext context, UnlockedVault vault)
    {
        RestoreRequest request = Request(context, await _point.GetAsync(context, vault).ConfigureAwait(false));
        if (context.Has(_dryRun))
        {
            return Describe(await context.Renderer.FollowAsync(async monitor =>
                await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).PlanRestoreAsync(request, monitor, context.Stop).ConfigureAwait(false)).ConfigureAwait(false));
        }

        RestoreResult result = await context.Renderer.FollowAsync(async monitor =>
            await (await vault.IndexAsync(context.Stop, monitor).ConfigureAwait(false)).RestoreAsync(request, monitor, context.Stop).ConfigureAwait(false)).ConfigureAwait(false);
        return Describe(request, result, vault.Traffic, RestoreFrom.Vault);
    }

    private static Outcome Describe(RestorePlan plan)
    {
        var summary = new RestorePlanSummary(
            plan.Request.Point.SessionId.ToString(),
            plan.Request.TargetFolder,
            plan.Request.Conflict,
            plan.Files,
            plan.Directories,
            plan.Others,
            plan.Bytes,
            plan.PackBytes,
            plan.Packs,
            plan.Conflicts,
            plan.Unrestorable);
        string text =
            $"""
            would restore  {Quantity.Count(plan.Files, "file")}, {Quantity.Count(plan.Directories, "folder")}, {Quantity.Count(plan.Others, "other")}, {Quantity.Size(plan.Bytes)}
            from           point {ShortId.Of(summary.PointId)}: {Quantity.Size(plan.PackBytes)} in {Quantity.Count(plan.Packs, "pack")}
            to             {plan.Request.TargetFolder}
            conflicts      {Quantity.Count(plan.Conflicts, "item")} already there (--conflict {plan.Request.Conflict.ToString().ToLowerInvariant()})
            unrestorable   {Quantity.Count(plan.Unrestorable, "item")} without content in the point
            """;
        return new Outcome(summary, text);
    }

    /// <summary>What is said of files that were restored from a disk.</summary>
    internal static Outcome Describe(RestoreRequest request, RestoreResult result) => Describe(request, result, traffic: null, RestoreFrom.Vault, isOfDisk: true);

    private static Outcome Describe(RestoreRequest request, RestoreResult result, VaultTraffic? traffic, RestoreFrom from, bool isOfDisk = false)
    {
        var summary = new RestoreSummary(
            request.Point.SessionId.ToString(),
            request.TargetFolder,
            result.Files,
            result.Directories,
            result.Others,
            result.Bytes,
            result.FetchedBytes,
            result.AlreadyThere,
            result.Skipped,
            result.Verified,
            result.KeptFromEarlier,
            result.Renamed,
            result.ChunksFromCopies,
            result.ChunksFromParity,
            traffic)
        {
            Command = isOfDisk ? "image restore" : "restore",
            From = from,
            ExitCode = (int)(result.Skipped == 0 ? ExitCode.Success : ExitCode.CompletedWithSkips),
        };
        string there = result.AlreadyThere == 0 ? "" : $"\nunchanged  {Quantity.Count(result.AlreadyThere, "file")} already there";
        string verified = request.Verify ? $"\nverified   {Quantity.Count(result.Verified, "file")}" : "";
        string kept = result.KeptFromEarlier == 0
            ? ""
            : $"\nearlier    {Quantity.Count(result.KeptFromEarlier, "file")} kept from an earlier point: unreadable when this one was made (obengine skipped lists them)";
        string renamed = result.Renamed == 0 ? "" : $"\nrenamed    {Quantity.Count(result.Renamed, "item")}: the target does not allow their names, or not beside each other";
        string healed = HealedText.Line(result.ChunksFromCopies, result.ChunksFromParity, 11);
        string skipped = result.Skipped == 0 ? "" : $"\nskipped    {Quantity.Count(result.Skipped, "item")}";
        string text =
            $"""
            restored   {Quantity.Count(result.Files, "file")}, {Quantity.Count(result.Directories, "folder")}, {Quantity.Count(result.Others, "other")}, {Quantity.Size(result.Bytes)}
            to         {request.TargetFolder}
            {(from == RestoreFrom.Local ? "from       local snapshots; the vault was not asked" : isOfDisk ? "from       the disk as the point has it" : $"fetched    {Quantity.Size(result.FetchedBytes)}")}{TrafficText.Line(traffic, 11)}{there}{verified}{kept}{renamed}{healed}{skipped}
            """;
        return new Outcome(summary, text);
    }
}
