using System.Runtime.CompilerServices;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Disks.Volumes;

/// <summary>A volume whose errors say where it is.</summary>
/// <param name="volume">The volume.</param>
/// <param name="place">What messages call its place: "partition 2", "the disk".</param>
internal sealed class PlacedVolume(IFileVolume volume, string place) : IFileVolume
{
    /// <inheritdoc/>
    public string Kind => volume.Kind;

    /// <inheritdoc/>
    public string? Label => volume.Label;

    /// <inheritdoc/>
    public string? Id => volume.Id;

    /// <inheritdoc/>
    public string? Note => volume.Note;

    /// <inheritdoc/>
    public bool WasInUse => volume.WasInUse;

    /// <inheritdoc/>
    public VolumeItem Root => volume.Root;

    /// <summary>Opens one.</summary>
    public static async Task<PlacedVolume> OpenAsync<T>(Task<T> opening, string place)
        where T : IFileVolume
    {
        try
        {
            return new PlacedVolume(await opening.ConfigureAwait(false), place);
        }
        catch (BackupException e)
        {
            throw VolumeFault.At(e, place);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<VolumeItem?> FindAsync(VolumeItem folder, ReadOnlyMemory<byte> name, CancellationToken cancellationToken)
    {
        try
        {
            return await volume.FindAsync(folder, name, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            throw VolumeFault.At(e, place);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<VolumeItem> ListAsync(VolumeItem folder, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using IAsyncEnumerator<VolumeItem> items = volume.ListAsync(folder, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync().ConfigureAwait(false))
                {
                    break;
                }
            }
            catch (BackupException e)
            {
                throw VolumeFault.At(e, place);
            }

            yield return items.Current;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(VolumeItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await volume.ReadAsync(item, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e)
        {
            throw VolumeFault.At(e, place);
        }
    }
}
