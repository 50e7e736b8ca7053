using System.Globalization;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.RecoveryPoints;

namespace MSOnlineBackup.Engine.Restore;

/// <summary>
/// The names that one folder's items get at the target. Where two differ by nothing but the case of letters, and the target takes them for one, the first in
/// the order of the point keeps its name, and the others go beside it: <c>name (case 2).txt</c>, <c>name (case 3).txt</c>, … The same point restored
/// again gives the same names. Memory: some 40 bytes a name.
/// </summary>
internal sealed class FolderNames
{
    private const int MaxNamesTried = 1000;

    // Hashes: of a name in capitals, and of whose it is. That two of 64 bits meet costs a name that need not have been given, and nothing else.
    private readonly Dictionary<ulong, ulong> _taken = [];
    private Dictionary<ulong, byte[]>? _given;
    private bool? _ignoresCase;

    /// <summary>The name that an item gets; the same each time it is asked for.</summary>
    /// <param name="name">The item's name, raw.</param>
    /// <param name="ignoresCase">Whether the target takes names for one that differ by case; asked when there are two, once.</param>
    /// <param name="isKnown">Whether it was asked for before.</param>
    /// <exception cref="BackupException">RestoreItemExists: all names are taken.</exception>
    public byte[] Choose(ReadOnlySpan<byte> name, Func<bool> ignoresCase, out bool isKnown)
    {
        ulong own = CaselessName.Hash(name, ignoreCase: false);
        if (_given is not null && _given.TryGetValue(own, out byte[]? given))
        {
            isKnown = true;
            return given;
        }

        ulong caseless = CaselessName.Hash(name, ignoreCase: true);
        isKnown = !_taken.TryAdd(caseless, own) && _taken[caseless] == own;
        if (isKnown || _taken[caseless] == own || !(_ignoresCase ??= ignoresCase()))
        {
            return name.ToArray();
        }

        for (int number = 2; number <= MaxNamesTried; number++)
        {
            byte[] candidate = CopyNaming.WithSuffix(name, string.Create(CultureInfo.InvariantCulture, $" (case {number})"));
            if (_taken.TryAdd(CaselessName.Hash(candidate, ignoreCase: true), own))
            {
                (_given ??= []).Add(own, candidate);
                return candidate;
            }
        }

        throw new BackupException(
            BackupErrorId.RestoreItemExists,
            $"No free name was found for '{PathText.Show(PathText.Local, name)}', which differs from other names only by case: "
                + $"all {MaxNamesTried} names tried are taken.",
            "Restore it into another folder.",
            target: PathText.Show(PathText.Local, name));
    }
}
