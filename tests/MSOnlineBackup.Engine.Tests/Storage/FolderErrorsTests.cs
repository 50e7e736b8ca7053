using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Storage;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Storage;

public sealed class FolderErrorsTests
{
    [Theory]
    [InlineData(28, BackupErrorId.VaultFull, false)] // ENOSPC
    [InlineData(122, BackupErrorId.VaultFull, false)] // EDQUOT
    [InlineData(30, BackupErrorId.VaultAccessDenied, false)] // EROFS
    [InlineData(1, BackupErrorId.VaultAccessDenied, false)] // EPERM
    [InlineData(13, BackupErrorId.VaultAccessDenied, false)] // EACCES
    [InlineData(5, BackupErrorId.VaultUnreachable, true)] // EIO
    [InlineData(19, BackupErrorId.VaultUnreachable, true)] // ENODEV
    [InlineData(110, BackupErrorId.VaultUnreachable, true)] // ETIMEDOUT
    [InlineData(112, BackupErrorId.VaultUnreachable, true)] // EHOSTDOWN
    [InlineData(116, BackupErrorId.VaultUnreachable, true)] // ESTALE
    [InlineData(2, BackupErrorId.VaultUnreachable, true)] // ENOENT
    [InlineData(38, BackupErrorId.VaultUnreachable, false)] // ENOSYS
    public void An_error_of_Linux_has_its_meaning(int errorNumber, BackupErrorId id, bool transient)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The numbers are those of Linux.");
        AssertMeaning(new IOException("The system's words.", errorNumber), id, transient);
    }

    [Theory]
    [InlineData(112, BackupErrorId.VaultFull, false)] // ERROR_DISK_FULL
    [InlineData(19, BackupErrorId.VaultAccessDenied, false)] // ERROR_WRITE_PROTECT
    [InlineData(1117, BackupErrorId.VaultUnreachable, true)] // ERROR_IO_DEVICE
    [InlineData(59, BackupErrorId.VaultUnreachable, true)] // ERROR_UNEXP_NET_ERR
    public void An_error_of_Windows_has_its_meaning(int errorNumber, BackupErrorId id, bool transient)
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "The numbers are those of Windows.");
        AssertMeaning(new IOException("The system's words.", unchecked((int)0x80070000) | errorNumber), id, transient);
    }

    [Fact]
    public void A_denied_access_is_denied() =>
        AssertMeaning(new UnauthorizedAccessException("The system's words."), BackupErrorId.VaultAccessDenied, transient: false);

    private static void AssertMeaning(Exception failure, BackupErrorId id, bool transient)
    {
        BackupException error = FolderErrors.Describe(failure, "/the/vault", "packs/1");

        Assert.Equal(id, error.Id);
        Assert.Equal(transient, error.IsTransient);
        Assert.Equal("packs/1", error.Target);
        Assert.Same(failure, error.InnerException);
        Assert.Contains("/the/vault", error.Message, StringComparison.Ordinal);
        Assert.Contains("'packs/1'", error.Message, StringComparison.Ordinal);
        Assert.Contains("The system's words", error.Message, StringComparison.Ordinal);

        BackupException ofTheWhole = FolderErrors.Describe(failure, "/the/vault", name: null);
        Assert.Equal("/the/vault", ofTheWhole.Target);
    }
}
