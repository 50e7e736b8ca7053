using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Images;

namespace MSOnlineBackup.VirtualMachines.Instant;

/// <summary>The image of a disk before the machine was ever started: it has nothing but the holes of the disk, which are not asked for then.</summary>
internal static class FreshImage
{
    // qemu-io takes no more at a time.
    private const long MostZeroes = 1 << 30;

    /// <summary>Makes one, as a whole or not at all.</summary>
    /// <param name="image">The file.</param>
    /// <param name="bytes">The size of the disk.</param>
    /// <param name="backing">What is below it.</param>
    /// <param name="holes">The holes of the disk: where they begin, and how long they are.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">VirtualMachineProgramUnusable.</exception>
    public static async Task CreateAsync(string image, long bytes, JsonObject backing, IAsyncEnumerable<(long Start, long Length)> holes, CancellationToken cancellationToken)
    {
        long cluster = ClusterOf(bytes);
        string fresh = image + ".new";
        File.Delete(fresh);
        await ImageProgram.RunAsync(
            "qemu-img",
            ["create", "-q", "-u", "-f", "qcow2", "-o", FormattableString.Invariant($"cluster_size={cluster}"), "-F", "raw", "-b", "json:" + backing.ToJsonString(), fresh, $"{bytes}"],
            image,
            cancellationToken).ConfigureAwait(false);
        await MarkAsync(fresh, cluster, holes, cancellationToken).ConfigureAwait(false);
        File.Move(fresh, image);
    }

    /// <summary>How large the parts of an image are: its tables have eight bytes for each.</summary>
    internal static long ClusterOf(long bytes) => bytes <= 1L << 40 ? 64 << 10 : bytes <= 8L << 40 ? 512 << 10 : 2 << 20;

    private static async Task MarkAsync(string image, long cluster, IAsyncEnumerable<(long Start, long Length)> holes, CancellationToken cancellationToken)
    {
        using Process process = ImageProgram.Start("qemu-io", ["-f", "qcow2", image]);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await foreach ((long start, long length) in holes.WithCancellation(cancellationToken).ConfigureAwait(false))
                {
                    long end = (start + length) / cluster * cluster;
                    for (long at = (start + cluster - 1) / cluster * cluster; at < end; at += MostZeroes)
                    {
                        await process.StandardInput.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"write -q -z {at} {Math.Min(MostZeroes, end - at)}").AsMemory(), cancellationToken).ConfigureAwait(false);
                    }
                }

                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended, and says why.
            }

            string said = await output.ConfigureAwait(false) + await error.ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0 || said.Contains("failed", StringComparison.Ordinal))
            {
                throw ImageProgram.Failed("qemu-io", image, said.Replace("qemu-io> ", "", StringComparison.Ordinal));
            }
        }
        finally
        {
            ImageProgram.Stop(process);
        }
    }
}
