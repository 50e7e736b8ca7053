using System.Management.Automation;
using MSOnlineBackup.Completion;
using MSOnlineBackup.Model.Conversions;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Cmdlets;

/// <summary>Says how the items of a recovery point differ from those of another, or what each folder adds to it.</summary>
[Cmdlet(VerbsData.Compare, "OBRecoveryPoint")]
[OutputType(typeof(OBRecoveryPointDifference), typeof(OBFolderWeight))]
public sealed class CompareOBRecoveryPointCommand : RecoveryCmdlet
{
    /// <summary>The recovery point: from Get-OBAllRecoveryPoints, any item of it, or its id or time.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    public OBRecoverableItem RecoveryPoint { get; set; } = null!;

    /// <summary>The recovery point that it is compared with, as a rule an earlier one: likewise.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(RecoveryPointCompleter))]
    public OBRecoverableItem Reference { get; set; } = null!;

    /// <summary>Returns what each folder adds to the reference, with all that is below it, the heaviest first.</summary>
    [Parameter]
    public SwitchParameter ByFolder { get; set; }

    /// <summary>With -ByFolder: how many folders below a source are told by themselves.</summary>
    [Parameter]
    [ValidateRange(0, 100)]
    public int Depth { get; set; } = 2;

    /// <inheritdoc/>
    protected override void Prepare()
    {
        if (!ByFolder && MyInvocation.BoundParameters.ContainsKey(nameof(Depth)))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid, "-Depth says how -ByFolder returns folders, and -ByFolder was not given.", "Add -ByFolder, or omit -Depth.", nameof(Depth));
        }
    }

    /// <inheritdoc/>
    protected override void Process() => Run(async (pump, stop) =>
    {
        RecoveryArchive archive = await OpenAsync(RecoveryPoint.ServerName, RecoveryPoint.Access, stop).ConfigureAwait(false);
        RecoveryPoint point = await archive.FindAsync(RecoveryPoint.RecoveryPointId, stop).ConfigureAwait(false);

        // What names a point by its id or time alone means the same machine.
        RecoveryArchive other = Reference.ServerName.Length == 0 ? archive : await OpenAsync(Reference.ServerName, Reference.Access, stop).ConfigureAwait(false);
        if (!other.SharesChunksWith(archive))
        {
            throw new BackupException(
                BackupErrorId.ArgumentInvalid,
                "The two recovery points lie in different vaults, or under different passphrases: they have nothing in common to go by.",
                "Compare points of one vault and passphrase.",
                Reference.RecoveryPointId);
        }

        RecoveryPoint reference = await other.FindAsync(Reference.RecoveryPointId, stop).ConfigureAwait(false);
        IndexedVault index = await archive.IndexAsync(stop).ConfigureAwait(false);
        var told = new HashSet<string>(StringComparer.Ordinal);
        if (ByFolder)
        {
            foreach (FolderWeight folder in await index.WeighFoldersAsync(reference, point, Depth, stop, Tell).ConfigureAwait(false))
            {
                await pump.WriteObjectAsync(folder.ToOutput(reference, point)).ConfigureAwait(false);
            }

            return;
        }

        await foreach (PointDifference difference in index.CompareAsync(reference, point, stop, Tell).ConfigureAwait(false))
        {
            VaultAccess? access = ReferenceEquals(difference.Item, difference.Earlier) ? other.Access : archive.Access;
            await pump.WriteObjectAsync(difference.ToOutput(reference, point, access)).ConfigureAwait(false);
        }

        void Tell(BackupException damage) => Warn(pump, told, damage);
    });
}
