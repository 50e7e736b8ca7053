using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.VirtualMachines.Images;

/// <summary>The image of a disk of a machine that is off.</summary>
/// <param name="Name">What the disk is called: the id of its drive or device where the machine runs.</param>
/// <param name="File">The file of the image.</param>
/// <param name="Format">The image's format: raw, qcow2, or another that qemu-img knows.</param>
public sealed record MachineImage(string Name, string File, string Format)
{
    /// <summary>An image whose format its name tells, which is the owner's: what is in it is a guest's.</summary>
    /// <param name="file">The file of the image, NAME.qcow2, NAME.raw or NAME.img.</param>
    /// <exception cref="BackupException">ArgumentInvalid: it is called otherwise.</exception>
    public static MachineImage Of(string file) => new(
        Path.GetFileNameWithoutExtension(file),
        file,
        Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".qcow2" => "qcow2",
            ".raw" or ".img" => "raw",
            _ => throw new BackupException(BackupErrorId.ArgumentInvalid, $"The format of the image '{file}' is not known.", "Name images NAME.qcow2, NAME.raw or NAME.img: the ending tells the format.", file),
        });
}
