using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Ids;
using MSOnlineBackup.VirtualMachines.Azure.Management;
using MSOnlineBackup.VirtualMachines.Azure.Pages;

namespace MSOnlineBackup.VirtualMachines.Azure.Points;

/// <summary>
/// The restore points that backups of a machine make, in a collection of their own. A tag of the collection says which of them is what a recovery point was made of, and of which: the base of the next backup. All others
/// are what killed backups have left. Nothing in any other collection is touched.
/// </summary>
/// <param name="access">How Azure is reached.</param>
/// <param name="machine">The machine.</param>
internal sealed class RestorePoints(AzureAccess access, AzureResourceId machine)
{
    private const string MarkTag = "obengine";
    private const string Mark = "backups of a virtual machine";
    private const string BaseTag = "obengine-base";
    private const int MostOfName = 50;

    private readonly ResourceManager _manager = new(access);
    private JsonObject _tags = [];

    /// <summary>The collection's address. It is told by a hash too, since names of machines are cut, and may differ in case.</summary>
    public string Collection { get; } = machine.Sibling(AzureResourceId.Collections, NameOf(machine)).ToString();

    /// <summary>Finds the collection, or makes it, closes and removes what killed backups have left in it, and gives the base of the next one; null where there is none.</summary>
    /// <param name="location">Where the machine is.</param>
    /// <param name="report">Is told of what could not be removed; the next backup tries it again.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>; VirtualMachineUnfit: somebody else has a collection of this name.</exception>
    public async Task<(RestorePoint Point, SessionId Session)?> PrepareAsync(string location, Action<BackupException> report, CancellationToken cancellationToken)
    {
        JsonElement? found = await _manager.FindAsync(Collection, ResourceManager.ComputeVersion, cancellationToken, "restorePoints").ConfigureAwait(false);
        if (found is not { } collection)
        {
            _tags = new JsonObject { [MarkTag] = Mark };
            var body = new JsonObject
            {
                ["location"] = location,
                ["tags"] = _tags.DeepClone(),
                ["properties"] = new JsonObject { ["source"] = new JsonObject { ["id"] = machine.ToString() } },
            };
            await _manager.PutAsync(Collection, ResourceManager.ComputeVersion, body, cancellationToken).ConfigureAwait(false);
            return null;
        }

        if (collection.Text("tags", MarkTag) != Mark || collection.Text("properties", "source", "id")?.Equals(machine.ToString(), StringComparison.OrdinalIgnoreCase) != true)
        {
            throw new BackupException(
                BackupErrorId.VirtualMachineUnfit, $"The collection of restore points '{Collection}' is not one of this program's for this machine.", "Give it another name, or remove it if it is not needed.", Collection);
        }

        _tags = collection.Find("tags") is { } tags ? JsonObject.Create(tags)! : [];
        RestorePoint[] points = [.. collection.Items("properties", "restorePoints").Select(RestorePoint.Read)];
        (string Name, SessionId Session)? noted = ReadBase(collection.Text("tags", BaseTag));
        RestorePoint? kept = noted is { } note ? points.FirstOrDefault(point => point.Name == note.Name && point.IsWhole) : null;
        foreach (RestorePoint point in points)
        {
            await TryAsync(() => point == kept ? CloseAsync(point, cancellationToken) : RemoveAsync(point, cancellationToken), report).ConfigureAwait(false);
        }

        return kept is null ? null : (kept, noted!.Value.Session);
    }

    /// <summary>Makes a restore point.</summary>
    /// <param name="leftOut">The addresses of disks that are left out.</param>
    /// <param name="isForPrograms">Whether the guest's programs are told: where they cannot be, Azure makes none, or says what it is instead.</param>
    /// <param name="begun">Is told its address before it is asked for, so that it can be removed.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>.</exception>
    public async Task<RestorePoint> CreateAsync(IEnumerable<string> leftOut, bool isForPrograms, Action<RestorePoint> begun, CancellationToken cancellationToken)
    {
        string name = "obengine-" + RandomNumberGenerator.GetHexString(16, lowercase: true);
        string path = $"{Collection}/restorePoints/{name}";
        begun(new RestorePoint(name, path, null, IsWhole: false, []));
        var body = new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["consistencyMode"] = isForPrograms ? "ApplicationConsistent" : "CrashConsistent",
                ["excludeDisks"] = new JsonArray([.. leftOut.Select(id => new JsonObject { ["id"] = id })]),
            },
        };
        JsonElement made = await _manager.PutAsync(path, ResourceManager.ComputeVersion, body, cancellationToken).ConfigureAwait(false);
        return RestorePoint.Read(made) with { Name = name, Path = path };
    }

    /// <summary>Of which disk a moment is.</summary>
    /// <returns>Null where it is not there any more, or Azure does not say.</returns>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.FindAsync"/>.</exception>
    public async Task<MomentOrigin?> FindOriginAsync(RestorePointDisk disk, CancellationToken cancellationToken) =>
        await _manager.FindAsync(disk.Moment, ResourceManager.DiskVersion, cancellationToken).ConfigureAwait(false) is { } moment
        && moment.Text("properties", "sourceUniqueId") is { } unique && moment.Text("properties", "familyId") is { } family
            ? new MomentOrigin(unique, family)
            : null;

    /// <summary>Notes a restore point as the base of the next backup; the one before is then of no use.</summary>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>.</exception>
    public async Task NoteBaseAsync(RestorePoint point, SessionId session, CancellationToken cancellationToken)
    {
        _tags[BaseTag] = $"{point.Name}/{session}";
        await _manager.PatchAsync(Collection, ResourceManager.ComputeVersion, new JsonObject { ["tags"] = _tags.DeepClone() }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes what is open of a restore point.</summary>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>.</exception>
    public async Task CloseAsync(RestorePoint point, CancellationToken cancellationToken)
    {
        foreach (RestorePointDisk disk in point.Disks)
        {
            using var grant = new PageGrant(access, disk.Moment, canWrite: false);
            await grant.RevokeAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Closes a restore point and removes it.</summary>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>.</exception>
    public async Task RemoveAsync(RestorePoint point, CancellationToken cancellationToken)
    {
        await CloseAsync(point, cancellationToken).ConfigureAwait(false);
        await _manager.DeleteAsync(point.Path, ResourceManager.ComputeVersion, cancellationToken).ConfigureAwait(false);
    }

    private static async Task TryAsync(Func<Task> act, Action<BackupException> report)
    {
        try
        {
            await act().ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            report(e);
        }
    }

    private static (string Name, SessionId Session)? ReadBase(string? tag) =>
        tag?.Split('/') is [{ Length: > 0 } name, var text] && SessionId.TryParse(text, out SessionId session) ? (name, session) : null;

    private static string NameOf(AzureResourceId machine)
    {
        string plain = string.Concat(machine.Name.Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'));
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(machine.ToString().ToLowerInvariant())).AsSpan(0, 6));
        return string.Create(CultureInfo.InvariantCulture, $"obengine-{plain[..Math.Min(MostOfName, plain.Length)]}-{hash}");
    }
}
