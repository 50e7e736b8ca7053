namespace MSOnlineBackup.Vaults.RecoveryPoints;

/// <summary>A manifest among those that are walked side by side.</summary>
/// <param name="Owner">Whose it is: a number from 0.</param>
/// <param name="Source">The source that has it.</param>
/// <param name="Root">Where its root stands among the others, see <see cref="KeyOf(PathForm, EntryPath)"/>.</param>
internal sealed record WalkedManifest(int Owner, RecoveryPointSource Source, byte[] Root)
{
    /// <summary>A manifest in the place that its source's own path gives it.</summary>
    public static WalkedManifest Of(int owner, RecoveryPointSource source) => new(owner, source, KeyOf(source.Form, SourcePath.ToTarget(source)));

    /// <summary>
    /// What full paths are ordered by: the form of the path, and each name after a '/'. In the order of <see cref="EntryPath.Compare"/> what is below a folder follows it,
    /// whatever source it is of, and the forms lie apart.
    /// </summary>
    public static byte[] KeyOf(PathForm form, EntryPath place) => place.IsRoot ? [(byte)(1 + (int)form)] : [(byte)(1 + (int)form), (byte)'/', .. place.Bytes];

    /// <summary>The key of something below the root.</summary>
    public byte[] KeyOf(EntryPath below) => below.IsRoot ? Root : [.. Root, (byte)'/', .. below.Bytes];

    /// <summary>Comes after everything below the root and before all else: no name has a NUL, and only '/' is below it.</summary>
    public byte[] End => [.. Root, 0];
}
