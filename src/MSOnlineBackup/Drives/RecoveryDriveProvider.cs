using System.Management.Automation;
using System.Management.Automation.Provider;
using MSOnlineBackup.Agent;
using MSOnlineBackup.Engine.Views;
using MSOnlineBackup.Recovery;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;

namespace MSOnlineBackup.Drives;

/// <summary>
/// Drives of PowerShell that show a recovery point, or all of a vault, as folders and files: <c>New-PSDrive R OBRecovery latest</c>. They are only read; what they show goes to
/// <c>Start-OBRecovery</c>. Paths begin with what the drive shows, so that an item is found by its <c>PSPath</c>, too.
/// </summary>
[CmdletProvider(ProviderName, ProviderCapabilities.Filter)]
[OutputType(typeof(OBRecoveryDriveItem), ProviderCmdlet = "Get-ChildItem")]
[OutputType(typeof(OBRecoveryDriveItem), ProviderCmdlet = "Get-Item")]
[OutputType(typeof(string), typeof(byte), ProviderCmdlet = "Get-Content")]
public sealed partial class RecoveryDriveProvider : NavigationCmdletProvider, IContentCmdletProvider
{
    /// <summary>What <c>New-PSDrive -PSProvider</c> calls it.</summary>
    internal const string ProviderName = "OBRecovery";

    private const string AllPoints = "all";
    private const int PageSize = 512;

    /// <inheritdoc/>
    protected override object NewDriveDynamicParameters() => new NewDriveParameters();

    /// <inheritdoc/>
    protected override PSDriveInfo NewDrive(PSDriveInfo drive) => Guarded(() =>
    {
        ArgumentNullException.ThrowIfNull(drive);
        var given = DynamicParameters as NewDriveParameters ?? new NewDriveParameters();
        string? credentials = given.VaultCredentials.Length == 0 ? null : FileOf(given.VaultCredentials);
        (VaultAccess? access, DriveRoot root) = Run(stop => FindRootAsync(drive.Root ?? "", given, credentials, RecoveryVolumes.OfSession.Notes.Enqueue, stop));
        string volume = Free(root.Point?.SessionId.ToString() ?? AllPoints, access);
        var made = new RecoveryDrive(drive, volume, root.Point is { } point ? $"Recovery point of {point.Started.UtcDateTime:u} of {point.MachineName}" : "All recovery points", root.Point, access);
        if (root.Folder.Length == 0)
        {
            return made;
        }

        try
        {
            string[] names = Look(made, root.Folder, followsLast: true, (found, _) => found is { Item.IsFolder: true } ? NamesOf(found) : throw new BackupException(
                BackupErrorId.RecoverableItemNotFound,
                $"The recovery point has no folder '{string.Join('/', root.Folder)}'.",
                "Name a folder of it, or leave it out: the drive then begins at the root of the point.",
                drive.Root));
            return new RecoveryDrive(drive, string.Join(Path.DirectorySeparatorChar, [volume, .. names]), made.Description, root.Point, access);
        }
        finally
        {
            made.Close(keepsPassphrase: true);
        }
    });

    /// <inheritdoc/>
    protected override PSDriveInfo RemoveDrive(PSDriveInfo drive)
    {
        (drive as RecoveryDrive)?.Close();
        return drive;
    }

    /// <inheritdoc/>
    protected override bool IsValidPath(string path) => !string.IsNullOrEmpty(path);

    /// <inheritdoc/>
    protected override bool ItemExists(string path) => Guarded(() => Look(path, followsLast: false, (found, _) => found is not null));

    /// <inheritdoc/>
    protected override bool IsItemContainer(string path) => Guarded(() => Look(path, followsLast: true, (found, _) => found is { Item.IsFolder: true }));

    /// <inheritdoc/>
    protected override bool HasChildItems(string path) => Guarded(() => Look(
        path,
        followsLast: true,
        (found, volume) => found is { Item.IsFolder: true } && Run(stop => volume.View.ListAsync(found.Item.Id, 0, 1, stop).AsTask()).Items.Count > 0));

    /// <inheritdoc/>
    protected override void GetItem(string path) => Guarded(() => Look(path, followsLast: false, (found, volume) =>
    {
        DrivePlace place = found ?? throw NotFound(path);
        if (ChildItemParameters.From(DynamicParameters).Wants(place, isForced: true))
        {
            Write(place, path);
        }

        return 0;
    }));

    /// <inheritdoc/>
    protected override object GetChildItemsDynamicParameters(string path, bool recurse) => new ChildItemParameters();

    /// <inheritdoc/>
    protected override object GetChildNamesDynamicParameters(string path) => new ChildItemParameters();

    /// <inheritdoc/>
    protected override void GetChildItems(string path, bool recurse) => GetChildItems(path, recurse, uint.MaxValue);

    /// <inheritdoc/>
    protected override void GetChildItems(string path, bool recurse, uint depth) => Guarded(() => Look(path, followsLast: true, (found, volume) =>
    {
        DrivePlace place = found ?? throw NotFound(path);
        if (place.Item.IsFolder)
        {
            WriteChildren(volume, place, path, recurse ? depth : 0, new HashSet<string>(StringComparer.Ordinal));
        }
        else
        {
            Write(place, path);
        }

        return 0;
    }));

    /// <inheritdoc/>
    protected override void GetChildNames(string path, ReturnContainers returnContainers) => Guarded(() => Look(path, followsLast: true, (found, volume) =>
    {
        DrivePlace folder = found ?? throw NotFound(path);
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (DrivePlace place in folder.Item.IsFolder ? Children(volume, folder, told) : [])
        {
            if (IsWanted(place) || (returnContainers == ReturnContainers.ReturnAllContainers && place.Item.IsFolder && (Force || !place.IsHidden)))
            {
                WriteItemObject(place.Name, MakePath(path, place.Name), place.Item.IsFolder);
            }
        }

        return 0;
    }));

    private static string[] NamesOf(DrivePlace place)
    {
        var names = new Stack<string>();
        for (DrivePlace at = place; at.Folder is { } folder; at = folder)
        {
            names.Push(at.Name);
        }

        return [.. names];
    }

    private static async Task<(VaultAccess? Access, DriveRoot Root)> FindRootAsync(
        string text, NewDriveParameters given, string? credentials, Action<string> note, CancellationToken stop)
    {
        BackupAgent agent = ModuleEnvironment.OpenAgent(note);
        VaultAccess? access = null;
        if (credentials is not null || given.EncryptionPassphrase is not null)
        {
            VaultAddress vault = credentials is not null
                ? (await agent.Machine.InspectCredentialAsync(credentials, stop).ConfigureAwait(false)).Vault
                : agent.Machine.Registration?.VaultLocation ?? throw new BackupException(
                    BackupErrorId.RecoveryOptionMissing,
                    "This machine is not registered with a vault, and no vault was named.",
                    "Name the vault by its credential file: -VaultCredentials FILE.");
            access = new VaultAccess(vault, given.EncryptionPassphrase?.Copy());
        }

        bool isAll = DriveRoot.IsAll(text, out string[] folder);
        using RecoveryArchive archive = await RecoveryArchive.OpenAsync(agent, given.MachineName, access, VaultPatience.Person, note, stop).ConfigureAwait(false);
        return (access, isAll ? new DriveRoot(null, given.MachineName.Length > 0 && folder.Length == 0 ? [given.MachineName] : folder)
            : await DriveRoot.FindAsync(text, archive, stop).ConfigureAwait(false));
    }

    // Drives that show the same in the same way have the same paths; others must not.
    private string Free(string volume, VaultAccess? access)
    {
        string name = volume;
        for (int number = 2; ProviderInfo.Drives.OfType<RecoveryDrive>().Any(drive => drive.VolumeName == name && !drive.IsOf(access)); number++)
        {
            name = $"{volume}~{number}";
        }

        return name;
    }

    private string FileOf(string path)
    {
        string file = SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
        return provider.Name == "FileSystem" ? file : throw new BackupException(
            BackupErrorId.ArgumentInvalid, $"'{path}' is a path of the provider '{provider.Name}', but a credential file is a file.", "Give a path of the file system.", path);
    }

    private bool IsWanted(DrivePlace place) =>
        ChildItemParameters.From(DynamicParameters).Wants(place, Force)
        && (string.IsNullOrEmpty(Filter) || new WildcardPattern(Filter, WildcardOptions.IgnoreCase).IsMatch(place.Name));

    // A folder's own items first, then those of the folders in it, as a listing of files goes. Only numbers of folders are kept.
    private void WriteChildren(RecoveryVolume volume, DrivePlace folder, string path, uint depth, HashSet<string> told)
    {
        var folders = new List<ulong>();
        foreach (DrivePlace place in Children(volume, folder, told))
        {
            if (IsWanted(place))
            {
                Write(place, MakePath(path, place.Name));
            }

            if (depth > 0 && place.Item.IsFolder && (Force || !place.IsHidden))
            {
                folders.Add(place.Item.Id);
            }
        }

        foreach (ulong id in folders)
        {
            if (Stopping)
            {
                return;
            }

            var below = new DrivePlace(folder, Run(stop => volume.View.GetAsync(id, stop).AsTask()));
            WriteChildren(volume, below, MakePath(path, below.Name), depth - 1, told);
        }
    }

    // What is damaged is told, and the rest goes on.
    private IEnumerable<DrivePlace> Children(RecoveryVolume volume, DrivePlace folder, HashSet<string> told)
    {
        ulong after = 0;
        for (ViewPage page = default; !page.IsLast && !Stopping;)
        {
            try
            {
                ulong from = after;
                page = Run(stop => volume.View.ListAsync(folder.Item.Id, from, PageSize, stop).AsTask());
            }
            catch (BackupException damage) when (damage.IsDamage)
            {
                page = new ViewPage([], damage, IsLast: true);
            }

            if (page.Damage is { } part && told.Add(part.Message))
            {
                WriteError(RecoveryDriveException.Record(part));
            }

            foreach (ViewItem item in page.Items)
            {
                if (Stopping)
                {
                    yield break;
                }

                yield return new DrivePlace(folder, item);
                after = item.Id;
            }
        }
    }

    private void Write(DrivePlace place, string path)
    {
        RecoveryDrive? drive = DriveOf(path);
        string folder = place.Folder is null ? "" : Shown(GetParentPath(path, ""), drive);
        WriteItemObject(place.ToOutput(folder, drive?.VolumeName ?? "", drive?.Access), path, place.Item.IsFolder);
    }

    // As the drive has it; where it lies beside the drive's root, as the provider has it.
    private static string Shown(string path, RecoveryDrive? drive)
    {
        if (drive is null || !path.StartsWith(drive.Root, StringComparison.Ordinal))
        {
            return $"{ProviderName}::{path}";
        }

        return $"{drive.Name}:{Path.DirectorySeparatorChar}{path[drive.Root.Length..].TrimStart('/', '\\')}";
    }
}
