using System.Text;
using MSOnlineBackup.Engine.Restore.Targets.Unix;
using MSOnlineBackup.Platform.Unix;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Restore.Targets;

public sealed class UnixRestoreErrorTests
{
    [Theory]
    [InlineData("/mnt/fat/a:b", BackupErrorId.RestoreNameImpossible)]
    [InlineData("/mnt/fat/a:b/plain", BackupErrorId.RestoreItemFailed)]
    [InlineData("/mnt/fat/plain", BackupErrorId.RestoreItemFailed)]
    public void A_name_that_a_disk_of_FAT_refuses_is_told_with_what_helps(string path, BackupErrorId expected)
    {
        BackupException error = UnixRestoreError.OfItem(-Errno.Invalid, Encoding.UTF8.GetBytes(path));

        Assert.Equal(expected, error.Id);
        Assert.Equal(expected == BackupErrorId.RestoreNameImpossible, error.Message.Contains("--map-names", StringComparison.Ordinal));
    }
}
