import Doorbell
