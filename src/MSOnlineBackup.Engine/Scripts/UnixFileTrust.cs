using System.Globalization;
using MSOnlineBackup.Engine.Sources.Unix;
using MSOnlineBackup.Platform.Items;
using MSOnlineBackup.Platform.Unix;

namespace MSOnlineBackup.Engine.Scripts;

/// <summary>
/// By owner and mode: root's, or where the backup does not run as root its own account's, and nobody else's (600, of a script 700); in folders that no third
/// account can write to or owns.
/// </summary>
internal sealed class UnixFileTrust : IFileTrust
{
    private const uint OfOthers = 0x3F;
    private const uint MayRun = 0x40;
    private const uint WritableByAll = 0x2;
    private const uint Sticky = 0x200;

    private readonly uint _self = Libc.EffectiveUser();

    /// <inheritdoc/>
    public string? FindFault(string path, bool isScript)
    {
        if (UnixSystem.RealPath(UnixPath.Resolve(path)) is not { } real || Look(real) is not { } file)
        {
            return "It cannot be looked at.";
        }

        if (file.Kind != EntryKind.File)
        {
            return "It is not a file.";
        }

        if (!IsTrusted(file.UserId))
        {
            return string.Create(CultureInfo.InvariantCulture, $"It belongs to the account {file.UserId}, and must belong to {Owner}.");
        }

        if ((file.Mode & OfOthers) != 0 || (isScript && (file.Mode & MayRun) == 0))
        {
            return $"Its permissions are {Convert.ToString(file.Mode & 0xFFF, 8)}, and must be {(isScript ? "700" : "600")}.";
        }

        return FindFaultAbove(real);
    }

    // Whoever may rename a file may put another one in its place.
    private string? FindFaultAbove(byte[] path)
    {
        for (int slash = Array.LastIndexOf(path, (byte)'/'); slash >= 0; slash = slash == 0 ? -1 : path.AsSpan(0, slash).LastIndexOf((byte)'/'))
        {
            byte[] folder = slash == 0 ? "/"u8.ToArray() : path[..slash];
            if (Look(folder) is not { } found || !IsTrusted(found.UserId) || (found.Mode & (WritableByAll | Sticky)) == WritableByAll)
            {
                return $"Others may write to the folder '{System.Text.Encoding.UTF8.GetString(folder)}', which must belong to {Owner}.";
            }
        }

        return null;
    }

    private bool IsTrusted(uint owner) => owner == 0 || owner == _self;

    private string Owner => _self == 0 ? "root" : string.Create(CultureInfo.InvariantCulture, $"root, or the account {_self}, which runs the backup");

    private static UnixStat? Look(byte[] path)
    {
        int slash = Array.LastIndexOf(path, (byte)'/');
        int folder = UnixSystem.Current.OpenBase(-1, slash <= 0 ? "/"u8 : path.AsSpan(0, slash));
        if (folder < 0)
        {
            return null;
        }

        int result = UnixSystem.Current.Stat(folder, path.Length == 1 ? "."u8 : path.AsSpan(slash + 1), out UnixStat stat);
        UnixSystem.Close(folder);
        return result >= 0 ? stat : null;
    }
}
